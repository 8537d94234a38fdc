import { describe, expect, test } from 'vitest'
import { textMethods } from '#src/base/text.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import {
  createMetadata,
  MetadataConflict,
  type MetadataEntry,
  MetadataLimitReached,
  MetadataNotFound,
} from '#src/domain/metadata/metadata.ts'
import type { MetadataState } from '#src/domain/metadata/store.ts'
import type { Stores } from '#src/domain/stores.ts'
import { type UserId, UserNotFound } from '#src/domain/users/user.ts'
import { at, atOnce, bytes, entry, event, later, type Open, oddKeys, plain, recorder, system, upTo, user } from './contract.ts'

const unknown = '000000000000000000000000' as UserId
const page = { offset: 0, limit: 100, ascending: true }
const all = { ...page, matches: () => true }

const metadataOf = (stores: Stores) => createMetadata({ store: stores.metadata, recorder })

async function janeIn(stores: Stores, entries: readonly MetadataEntry[] = []): Promise<UserId> {
  const jane = user('jane')
  await stores.users.insert(jane, entries, [])
  return jane.id
}

/** The numbers of all changes of a user as the trail has them. */
async function sequences(stores: Stores, id: UserId) {
  const events = await stores.audit.list({ kind: 'user', id }, { limit: 1000 })
  return events.map(({ sequence = 0 }) => sequence).sort((a, b) => a - b)
}

export function metadataContract(open: Open): void {
  test('every byte and every time comes back', async () => {
    await using stores = await open()
    const value = new Uint8Array(Array.from({ length: 256 }, (_, byte) => byte))
    const one: MetadataEntry = { key: 'k', value, sequence: 3, createdAt: at, changedAt: later(1) }
    const id = await janeIn(stores, [one, entry('other', bytes('x'))])
    const found = await stores.metadata.find(id, 'k')
    expect(plain(found ? [found] : [])).toEqual([one])
    for (const key of ['K', 'k ', '', 'kk', 'o']) expect(await stores.metadata.find(id, key)).toBeUndefined()
    expect(await stores.metadata.find(unknown, 'k')).toBeUndefined()
  })

  test('a value of 500,000 bytes comes back, alone and with the user', async () => {
    await using stores = await open()
    const large = new Uint8Array(500_000).map((_, index) => index % 251)
    const id = await janeIn(stores)
    await metadataOf(stores).set(
      id,
      upTo(4).map((number) => ({ key: `k${number}`, value: large })),
      system,
    )
    expect(Buffer.compare((await stores.metadata.find(id, 'k3'))?.value ?? new Uint8Array(), large)).toBe(0)
    const found = await stores.users.findWithMetadata(id)
    expect(found?.metadata.map(({ value }) => Buffer.compare(value, large))).toEqual([0, 0, 0, 0])
  })

  test('a key is any text', async () => {
    await using stores = await open()
    const id = await janeIn(stores)
    const metadata = metadataOf(stores)
    for (const key of oddKeys) {
      expect(await stores.metadata.find(id, key)).toBeUndefined()
      await metadata.set(id, [{ key, value: bytes(key) }], system)
    }
    for (const key of oddKeys) {
      expect(Buffer.from((await metadata.get(id, key)).value).toString()).toBe(key)
      const { entries, total } = await stores.metadata.search(id, { ...all, exactKey: key })
      expect([entries.map((each) => each.key), total]).toEqual([[key], 1])
    }
    const found = await stores.users.findWithMetadata(id)
    expect(found?.metadata.map(({ key }) => key)).toEqual(oddKeys)
    for (const method of ['equals', 'startsWith', 'contains', 'endsWith'] as const) {
      for (const part of ['%', '.', '_', '$', '👩', '__proto__']) {
        const { entries } = await metadata.search(id, [{ key: part, method }], page)
        expect(entries.map(({ key }) => key)).toEqual(oddKeys.filter((key) => textMethods[method](key, part)))
      }
    }
    await metadata.remove(id, oddKeys.slice(0, 6), system)
    expect((await stores.metadata.search(id, all)).total).toBe(oddKeys.length - 6)
  })

  describe('search', () => {
    test('answers a page by time of creation and by change, with the number of all that match', async () => {
      await using stores = await open()
      const entries = [entry('b', bytes('1'), 2), entry('a', bytes('2'), 3), entry('old', bytes('3'), 4, later(-60))]
      const id = await janeIn(stores, entries)
      const keys = async (selection: Partial<typeof all>) => {
        const found = await stores.metadata.search(id, { ...all, ...selection })
        return [found.entries.map(({ key }) => key), found.total]
      }
      expect(await keys({})).toEqual([['old', 'b', 'a'], 3])
      expect(await keys({ ascending: false })).toEqual([['a', 'b', 'old'], 3])
      expect(await keys({ offset: 1, limit: 1 })).toEqual([['b'], 3])
      expect(await keys({ offset: 1, limit: 1, ascending: false })).toEqual([['b'], 3])
      expect(await keys({ offset: 3 })).toEqual([[], 3])
      expect(await keys({ limit: 0 })).toEqual([[], 3])
    })

    test('answers one key when it can be no other, unless another condition excludes it', async () => {
      await using stores = await open()
      const id = await janeIn(stores, [entry('k', bytes('v')), entry('kk', bytes('w'))])
      const search = (selection: Partial<typeof all>) => stores.metadata.search(id, { ...all, exactKey: 'k', ...selection })
      const found = await search({})
      expect([plain(found.entries), found.total]).toEqual([[entry('k', bytes('v'))], 1])
      expect(await search({ matches: () => false })).toMatchObject({ entries: [], total: 0 })
      expect(await search({ offset: 1 })).toMatchObject({ entries: [], total: 1 })
      expect(await stores.metadata.search(id, { ...all, exactKey: 'none' })).toMatchObject({ entries: [], total: 0 })
    })

    test('tells where the user stands, and that there is no such user', async () => {
      await using stores = await open()
      const id = await janeIn(stores)
      expect(await stores.metadata.search(id, all)).toEqual({ entries: [], total: 0, sequence: 1, changedAt: at })
      await stores.users.update(id, (current) => ({ user: { ...current, sequence: 5, changedAt: later(5) }, events: [] }))
      expect(await stores.metadata.search(id, { ...all, exactKey: 'k' })).toMatchObject({ sequence: 5, changedAt: later(5) })
      await expect(stores.metadata.search(unknown, all)).rejects.toThrow(UserNotFound)
      await expect(stores.metadata.search(unknown, { ...all, exactKey: 'k' })).rejects.toThrow(UserNotFound)
    })
  })

  describe('summaries', () => {
    test('tell of every key what there is, without the value, a page at a time in the order of the keys', async () => {
      await using stores = await open()
      const long = new Uint8Array(500_000).map((_, index) => index % 251)
      const entries = [...oddKeys].map((key, index) => ({
        ...entry(key, bytes(key), index + 1, later(index)),
        changedAt: later(100 + index),
      }))
      const id = await janeIn(stores, [
        ...entries,
        entry('long', long, 70),
        entry('two', long.subarray(0, 200), 71),
        entry('\u0001\u0002', bytes('x'), 72),
      ])
      const names = [...oddKeys, 'long', 'two', '\u0001\u0002'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      for (const limit of [1, 4, 1000]) {
        const seen: string[] = []
        let after: string | undefined
        do {
          const { items, next, keys } = await metadataOf(stores).summaries(id, { after, limit })
          expect([items.length <= limit, keys]).toEqual([true, names.length])
          seen.push(...items.map(({ key }) => key))
          after = next
        } while (after !== undefined)
        expect(seen).toEqual(names)
      }
      const whole = await stores.metadata.summaries(id, { limit: 1000 })
      const byKey = new Map(whole.items.map(({ beginning, ...item }) => [item.key, { ...item, beginning: new Uint8Array(beginning) }]))
      for (const { key, value, sequence, createdAt, changedAt } of entries) {
        expect(byKey.get(key)).toEqual({ key, bytes: value.byteLength, sequence, createdAt, changedAt, beginning: value.slice(0, 200) })
      }
      expect(byKey.get('long')).toMatchObject({ bytes: 500_000, beginning: long.slice(0, 200), sequence: 70 })
      expect(byKey.get('two')).toMatchObject({ bytes: 200, beginning: long.slice(0, 200) })
      const total = [...entries.map(({ value }) => value.byteLength), 500_000, 200, 1].reduce((sum, size) => sum + size, 0)
      expect(whole).toMatchObject({ bytes: total, sequence: 1, changedAt: at })
    })

    test('go on behind a key that is gone, and are refused for nobody', async () => {
      await using stores = await open()
      const id = await janeIn(stores)
      expect(await stores.metadata.summaries(id, { limit: 5 })).toEqual({ items: [], keys: 0, bytes: 0, sequence: 1, changedAt: at })
      const metadata = metadataOf(stores)
      await metadata.set(
        id,
        ['a', 'b', 'c'].map((key) => ({ key, value: bytes(key) })),
        system,
      )
      const { next } = await metadata.summaries(id, { limit: 2 })
      await metadata.remove(id, ['b'], system)
      await metadata.set(id, [{ key: 'c', value: bytes('changed') }], system)
      const rest = await metadata.summaries(id, { after: next, limit: 2 })
      expect(rest.items.map(({ key, bytes: size, beginning }) => [key, size, String(Buffer.from(beginning))])).toEqual([
        ['c', 7, 'changed'],
      ])
      await expect(metadata.summaries(unknown, { limit: 2 })).rejects.toThrow(UserNotFound)
    })
  })

  describe('change', () => {
    test('of fifty who have seen the same entry, in two processes, one replaces it, and the others are told', async () => {
      await using stores = await open()
      await using others = await stores.again()
      const id = await janeIn(stores, [entry('k', bytes('v'), 1)])
      const outcomes = await atOnce(50, (number) =>
        metadataOf(number % 2 ? stores : others).set(id, [{ key: 'k', value: bytes(`${number}`), expectedSequence: 1 }], system),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const now = await stores.metadata.find(id, 'k')
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue
        expect(outcome.reason).toBeInstanceOf(MetadataConflict)
        expect(plain(outcome.reason.conflicts.map(({ current }: { current: MetadataEntry }) => current))).toEqual(plain(now ? [now] : []))
      }
      expect(await sequences(stores, id)).toEqual([2])
    })

    test('decides on the asked entries and on the counts of all', async () => {
      await using stores = await open()
      const id = await janeIn(stores, [entry('a', bytes('12345')), entry('b', bytes('123'))])
      const states: MetadataState[] = []
      const change = (put: MetadataEntry[], remove: string[]) =>
        stores.metadata.change(id, [...put.map(({ key }) => key), ...remove], (state) => {
          states.push(state)
          return { put, remove, events: [], sequence: state.sequence + 1, at: later(state.sequence) }
        })
      await change([entry('a', bytes('1')), entry('c', bytes('12'))], [])
      await change([], ['b', 'nowhere'])
      await change([], [])
      await stores.users.update(id, (current) => ({ user: { ...current, username: 'janet' }, events: [] }))
      await change([], [])
      expect(states.map(({ sequence, keys, bytes: size }) => [sequence, keys, size])).toEqual([
        [1, 2, 8],
        [2, 3, 6],
        [3, 2, 3],
        [4, 2, 3],
      ])
      expect(states.map(({ entries }) => [...entries.keys()].sort())).toEqual([['a'], ['b'], [], []])
      expect(await stores.users.find(id)).toMatchObject({ username: 'janet', sequence: 5, changedAt: later(4) })
    })

    test('is one with its events, or nothing', async () => {
      await using stores = await open()
      const id = await janeIn(stores, [entry('k', bytes('v'))])
      await stores.audit.record([event(id, 7)])
      const put = [entry('k', bytes('new')), entry('l', bytes('new'))]
      const change = (events: number[]) =>
        stores.metadata.change(id, ['k', 'l'], () => ({
          put,
          remove: [],
          events: events.map((number) => event(id, number)),
          sequence: 7,
          at,
        }))
      await expect(change([6, 7])).rejects.toThrow()
      const refuse = () => {
        throw new RangeError('changed my mind')
      }
      await expect(stores.metadata.change(id, ['k'], refuse)).rejects.toThrow(RangeError)
      await stores.metadata.change(id, ['k'], () => undefined)
      expect(await stores.metadata.search(id, all)).toMatchObject({ total: 1, sequence: 1 })
      expect(Buffer.from((await stores.metadata.find(id, 'k'))?.value ?? []).toString()).toBe('v')
      expect(await sequences(stores, id)).toEqual([7])
      await expect(stores.metadata.change(unknown, ['k'], refuse)).rejects.toThrow(UserNotFound)
    })

    test('fifty at once on one user, in two processes, are numbered without gap or double', async () => {
      await using stores = await open()
      await using others = await stores.again()
      const jane = user('jane', { sequence: 0 })
      await stores.users.insert(jane, [], [])
      const now = createRecorder({ now: () => new Date() })
      const rooms = [stores, others].map(({ metadata: store }) => createMetadata({ store, recorder: now }))
      const outcomes = await atOnce(50, async (number) =>
        (rooms[number % 2] as (typeof rooms)[0]).set(jane.id, [{ key: `k${number}`, value: bytes(`v${number}`) }], system),
      )
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
      expect(await sequences(stores, jane.id)).toEqual(upTo(50))
      const found = await others.users.findWithMetadata(jane.id)
      expect(found?.user.sequence).toBe(50)
      expect(found?.metadata.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(upTo(50))
    })

    test('of fifty who take away one key at once, one does', async () => {
      await using stores = await open()
      await using others = await stores.again()
      const id = await janeIn(stores, [entry('k', bytes('v'))])
      const outcomes = await atOnce(50, (number) => metadataOf(number % 2 ? stores : others).remove(id, ['k'], system))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(MetadataNotFound)
      expect(await sequences(stores, id)).toEqual([2])
    })

    test('a limit holds for two who reach it at once', async () => {
      await using stores = await open()
      await using others = await stores.again()
      const id = await janeIn(stores)
      const metadata = metadataOf(stores)
      const value = new Uint8Array(490_000)
      await metadata.set(
        id,
        upTo(7).map((number) => ({ key: `${number}`, value })),
        system,
      )
      const outcomes = await atOnce(4, (number) =>
        metadataOf(number % 2 ? stores : others).set(id, [{ key: `more-${number}`, value }], system),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(MetadataLimitReached)
      expect((await stores.metadata.search(id, all)).total).toBe(8)
    })
  })
}
