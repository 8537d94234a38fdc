import { expect, test } from 'vitest'
import { CursorInvalid } from '#src/base/page.ts'
import { createSealer } from '#src/domain/keys/seal.ts'
import { type BrowseFilter, createUserBrowsing } from '#src/domain/users/browse.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { atOnce, bytes, entry, later, type Open, oddKeys, user } from './contract.ts'

const sealer = createSealer(['the secret of these tests, which is long enough'])
const long = (end: string) => bytes(`${'v'.repeat(300)}${end}`)

/** Forty people, each a second younger than the one before, about whom different things hold. */
async function people(open: Open) {
  const stores = await open()
  const browsing = createUserBrowsing({ store: stores.users, sealer })
  await atOnce(40, (number) => {
    const createdAt = later(Math.floor(number / 2))
    const id = `65f0c0ffee65f0c0ffee${String(number).padStart(4, '0')}` as UserId
    const anyone = user(`person-${number}`, {
      id,
      createdAt,
      profile: {
        givenName: number % 2 ? 'Anna' : 'Annabel Anna',
        familyName: `Müller-${number % 4 ? 'Lüdenscheidt' : 'Ängström'}`,
        email: `a.${number}@${number % 5 ? 'acme' : 'Other'}.example`,
      },
      state: number % 10 === 3 ? 'locked' : 'active',
      kind: number % 8 === 1 ? 'machine' : 'human',
      roles: number % 3 ? {} : { portal: ['reader'] },
    })
    const metadata = [entry('plan', bytes(number % 4 ? 'gold' : 'silver'), 1), entry(`n${number}`, bytes('1'), 2)]
    if (number % 6 === 0) metadata.push(entry('long', long(String(number % 12)), 3))
    return stores.users.insert(anyone, metadata, [])
  })
  /** Everybody whom a filter finds, by the numbers in their names, in the order in which they come. */
  async function visited(filter: BrowseFilter, limit = 3, between: (round: number) => Promise<unknown> = async () => undefined) {
    const names: string[] = []
    let after: string | undefined
    for (let round = 0; ; round += 1) {
      const { items, next } = await browsing.browse(filter, { after, limit })
      expect(items.length).toBeLessThanOrEqual(limit)
      names.push(...items.map(({ username }) => username.replace('person-', '')))
      if (next === undefined) return names
      await between(round)
      after = next
    }
  }
  return Object.assign(stores, { browsing, visited })
}

const numbers = (holds: (number: number) => boolean) =>
  Array.from({ length: 40 }, (_, number) => number)
    .filter(holds)
    .map(String)
    .sort()

export function userBrowseContract(open: Open): void {
  test('paging visits everybody whom a filter finds exactly once, and nobody else', async () => {
    await using stores = await people(open)
    const isLocked = (number: number) => number % 10 === 3
    const cases: readonly (readonly [BrowseFilter, (number: number) => boolean])[] = [
      [{}, () => true],
      [{ state: 'locked' }, isLocked],
      [{ kind: 'machine' }, (number) => number % 8 === 1],
      [{ kind: 'human' }, (number) => number % 8 !== 1],
      [{ granted: 'portal' }, (number) => number % 3 === 0],
      [{ granted: 'nowhere' }, () => false],
      [{ metadata: { key: 'plan' } }, () => true],
      [{ metadata: { key: 'plan', value: bytes('silver') } }, (number) => number % 4 === 0],
      [{ metadata: { key: 'plan', value: bytes('silve') } }, () => false],
      [{ metadata: { key: 'long', value: long('6') } }, (number) => number % 12 === 6],
      [{ metadata: { key: 'long', value: bytes('v'.repeat(201)) } }, () => false],
      [{ metadata: { key: 'n7' } }, (number) => number === 7],
      [{ text: 'ann' }, () => true],
      [{ text: 'ANNABEL' }, (number) => number % 2 === 0],
      [{ text: 'äng' }, (number) => number % 4 === 0],
      [{ text: 'mü LÜD' }, (number) => number % 4 !== 0],
      [{ text: 'acme' }, (number) => number % 5 !== 0],
      [{ text: '@other.EX' }, (number) => number % 5 === 0],
      [{ text: 'a.1' }, (number) => String(number).startsWith('1')],
      [{ text: 'A.17@acme.example' }, (number) => number === 17],
      [{ text: '17@acme' }, (number) => number === 17],
      [{ text: 'nna' }, () => false],
      [{ text: ' \t ' }, () => true],
      [{ text: 'anna nobody' }, () => false],
      [{ text: '65f0c0ffee65f0c0ffee0012' }, (number) => number === 12],
      [{ text: '65F0C0FFEE65f0c0ffee0012 anna' }, (number) => number === 12],
      [{ text: '65f0c0ffee65f0c0ffee00' }, () => false],
      [{ text: 'anna', state: 'locked' }, isLocked],
      [{ text: 'anna person', state: 'active', kind: 'human' }, (number) => !isLocked(number) && number % 8 !== 1],
      [{ text: 'annab', metadata: { key: 'plan', value: bytes('gold') } }, (number) => number % 4 === 2],
      [{ text: '65f0c0ffee65f0c0ffee0012', state: 'locked' }, () => false],
      [{ state: 'active', kind: 'machine', granted: 'portal' }, (number) => !isLocked(number) && number % 8 === 1 && number % 3 === 0],
      [{ granted: 'portal', metadata: { key: 'long' } }, (number) => number % 6 === 0],
    ]
    for (const [filter, holds] of cases) {
      for (const limit of [1, 7, 100]) expect((await stores.visited(filter, limit)).sort(), JSON.stringify(filter)).toEqual(numbers(holds))
    }
  })

  test('the newest come first where nobody is looked for', async () => {
    await using stores = await people(open)
    const newestFirst = numbers(() => true).sort((a, b) => Number(b) - Number(a))
    expect(await stores.visited({})).toEqual(newestFirst)
    expect(await stores.visited({ state: 'active' })).toEqual(newestFirst.filter((number) => !number.endsWith('3')))
  })

  test('those who stay are visited once while others come, go and change', async () => {
    await using stores = await people(open)
    const filters: readonly BrowseFilter[] = [
      {},
      { text: 'anna' },
      { text: 'ann a', kind: 'human' },
      { metadata: { key: 'plan' } },
      { granted: 'portal' },
      { state: 'active' },
    ]
    const ids = new Map((await stores.users.list({ limit: 100 })).items.map(({ username, id }) => [username, id]))
    const leaving = ['39', '30', '21', '12', '5', '0']
    for (const [index, filter] of filters.entries()) {
      const gone = leaving[index] ?? ''
      const before = await stores.visited(filter)
      const names = await stores.visited(filter, 3, async (round) => {
        if (round === 1) await stores.users.remove(ids.get(`person-${gone}`) as UserId, () => [])
        const newcomer = user(`newcomer-${index}-${round}`, { createdAt: later(round), profile: { givenName: 'Anna' } })
        await stores.users.insert(newcomer, [entry('plan', bytes('gold'))], [])
      })
      const stayed = names.filter((name) => !name.startsWith('newcomer') && name !== gone)
      expect(stayed, JSON.stringify(filter)).toEqual(before.filter((name) => !name.startsWith('newcomer') && name !== gone))
      expect(new Set(names).size).toBe(names.length)
    }
  })

  test('the last of a page may go before the next one is asked for', async () => {
    await using stores = await people(open)
    for (const filter of [{}, { text: 'anna' }, { metadata: { key: 'plan' } }, { granted: 'portal' }] satisfies BrowseFilter[]) {
      const all = await stores.visited(filter)
      const { items, next } = await stores.browsing.browse(filter, { limit: 2 })
      await stores.users.remove(items[1]?.id as UserId, () => [])
      const rest = await stores.browsing.browse(filter, { after: next, limit: 2 })
      expect(rest.items.map(({ username }) => username)).toEqual(all.slice(2, 4).map((number) => `person-${number}`))
    }
  })

  test('a change of a user changes by what they are found, and somebody who was removed is found no more', async () => {
    await using stores = await people(open)
    const [one] = (await stores.browsing.browse({ text: 'a.17@' }, { limit: 2 })).items
    if (!one) return expect.unreachable()
    await stores.users.update(one.id, (current) => ({
      user: { ...current, username: 'zoe', profile: { nickName: 'Zoë Zo' }, state: 'inactive' },
      events: [],
    }))
    expect(await stores.visited({ text: '17' })).toEqual([])
    expect(await stores.visited({ text: 'ZO' })).toEqual(['zoe'])
    expect(await stores.visited({ text: 'zoë' })).toEqual(['zoe'])
    expect(await stores.visited({ state: 'inactive' })).toEqual(['zoe'])
    await stores.users.update(one.id, (current) => ({ user: { ...current, sequence: 2 }, events: [] }))
    expect(await stores.visited({ text: 'zo' })).toEqual(['zoe'])
    await stores.users.remove(one.id, () => [])
    expect(await stores.visited({ text: 'zo' })).toEqual([])
    const word = { kind: 'word', beginning: 'zo' } as const
    expect([await stores.users.countPlaces(word, 10), await stores.users.places(word, { limit: 10 })]).toEqual([0, []])
  })

  test('texts that mean something to databases, or do not show, are texts like others', async () => {
    await using stores = await open()
    const browsing = createUserBrowsing({ store: stores.users, sealer })
    const names = [
      "O'Brien",
      '100%',
      '_under',
      'back\\slash',
      '"quoted"',
      'a\0b',
      '👩‍👩‍👧‍👦',
      '\u200fשלום עולם',
      '$ne',
      '(a+)+$',
      '；ＤＲＯＰ',
      'e\u0301a',
    ]
    for (const [index, nickName] of names.entries()) {
      await stores.users.insert(user(`user${index}`, { profile: { nickName }, createdAt: later(index) }), [], [])
    }
    const found = async (text: string) => (await browsing.browse({ text }, { limit: 20 })).items.map(({ username }) => username)
    for (const [index, name] of names.entries()) expect(await found(name), JSON.stringify(name)).toContain(`user${index}`)
    const cases = [
      ["o'b", [0]],
      ['brien', [0]],
      ['%', []],
      ['100%', [1]],
      ['10_', []],
      ['under', [2]],
      ['slash', [3]],
      ['back\\', [3]],
      ['quoted', [4]],
      ['"quoted"', [4]],
      ['👩', [6]],
      ['עול', [7]],
      ['drop', [10]],
      ['É', [11]],
      ['\0', names.map((_, index) => index).toReversed()],
    ] as const
    for (const [text, expected] of cases) expect(await found(text), JSON.stringify(text)).toEqual(expected.map((index) => `user${index}`))
    for (const text of ['\ud800', "'; DROP TABLE users; --", '\u{10ffff}', 'x'.repeat(5000), 'a '.repeat(3000)]) {
      expect(Array.isArray(await found(text))).toBe(true)
    }
    for (const key of oddKeys) {
      const id = user('odd').id
      await stores.users.insert(user(`odd-${id}`, { id, roles: { [key]: ['r'] } }), [entry(key, bytes(key))], [])
      for (const filter of [{ metadata: { key } }, { metadata: { key, value: bytes(key) } }, { granted: key }]) {
        expect(
          (await browsing.browse(filter, { limit: 5 })).items.map((each) => each.id),
          JSON.stringify(filter),
        ).toEqual([id])
      }
    }
  })

  test('names that were made to fill the index are found by their beginning, and take little room', async () => {
    await using stores = await open()
    const browsing = createUserBrowsing({ store: stores.users, sealer })
    const profile = { displayName: 'a.'.repeat(500), givenName: 'b'.repeat(1000), nickName: `${'😀'.repeat(70)}x` }
    await stores.users.insert(user('hostile', { profile }), [], [])
    expect(await stores.users.countPlaces({ kind: 'word', beginning: '' }, 1000)).toBeLessThanOrEqual(100)
    for (const [text, count] of [
      ['b'.repeat(1000), 1],
      ['b'.repeat(1001), 0],
      [`${'b'.repeat(70)}c`, 0],
      [`${'😀'.repeat(70)}x`, 1],
      [`${'😀'.repeat(70)}y`, 0],
    ] as const) {
      expect((await browsing.browse({ text }, { limit: 2 })).items, text.slice(0, 10)).toHaveLength(count)
    }
  })

  test('a cursor that is not ours, or that of another filter, is refused', async () => {
    await using stores = await people(open)
    const { next } = await stores.browsing.browse({ text: 'anna' }, { limit: 2 })
    if (next === undefined) return expect.unreachable()
    expect(next).not.toContain(Buffer.from('anna').toString('base64url').slice(0, 4))
    const forged = createSealer(['another secret, just as long as the first one']).seal(
      '[0,"anna",""]',
      '["users","anna",null,null,null,null,null]',
    )
    for (const after of ['', 'x', 'v1.', '0', next.slice(0, -1), `${next}AAAA`, forged, "' OR 1=1", '\0']) {
      await expect(stores.browsing.browse({ text: 'anna' }, { after, limit: 2 }), after).rejects.toThrow(CursorInvalid)
    }
    for (const filter of [{}, { text: 'annab' }, { text: 'anna', state: 'active' }] satisfies BrowseFilter[]) {
      await expect(stores.browsing.browse(filter, { after: next, limit: 2 })).rejects.toThrow(CursorInvalid)
    }
    await expect(stores.browsing.browse({}, { after: 'x', limit: 2 })).rejects.toMatchObject({ code: 'cursor.invalid' })
  })

  test('how many there are is known, in all and by state', async () => {
    await using stores = await people(open)
    expect(await stores.browsing.count()).toEqual({ all: 40, byState: { active: 36, inactive: 0, locked: 4 } })
    const [first, second] = (await stores.users.list({ limit: 2 })).items
    if (!first || !second) return expect.unreachable()
    await stores.users.update(first.id, (current) => ({ user: { ...current, state: 'inactive' }, events: [] }))
    await stores.users.remove(second.id, () => [])
    await expect(stores.users.insert(user('PERSON-7'), [], [])).rejects.toThrow()
    expect(await stores.browsing.count()).toEqual({ all: 39, byState: { active: 34, inactive: 1, locked: 4 } })
  })
}
