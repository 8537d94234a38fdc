import { expect, test } from 'vitest'
import type { AuditEvent } from '#src/domain/audit/events.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { event, later, type Open, oddKeys, recorder, system, upTo } from './contract.ts'

const jane = '65f0c0ffee65f0c0ffee65f0' as UserId
const about = { kind: 'user', id: jane } as const

export function auditContract(open: Open): void {
  test('an event comes back as it was recorded', async () => {
    await using stores = await open()
    const actor = { kind: 'user', id: 'admin' } as const
    const recorded: AuditEvent[] = [
      recorder.event('user.signed_in', actor, about, { clientId: undefined, amr: ['pwd', 'otp'], address: '::1' }),
      recorder.event('user.changed', { kind: 'cli', name: 'root' }, about, { fields: ['$set.a'] }, 7),
      ...oddKeys.map((key) => recorder.event('metadata.removed', system, about, { key })),
    ]
    await stores.audit.record(recorded)
    await stores.audit.record([])
    expect(await stores.audit.list(about, { limit: 100 })).toEqual([...recorded].reverse())
  })

  test('the newest come first, a page at a time, and of one subject only', async () => {
    await using stores = await open()
    const recorded: AuditEvent[] = []
    for (const number of upTo(7)) {
      const then = createRecorder({ now: () => later(Math.floor(number / 3)) })
      recorded.unshift(then.event('user.signed_out', system, about, { clientId: `${number}` }))
      await stores.audit.record(recorded.slice(0, 1))
      await stores.audit.record([then.event('settings.changed', system, { kind: 'settings', id: jane }, { fields: [] })])
    }
    const list = async (before?: string) => (await stores.audit.list(about, { before, limit: 3 })).map(({ id }) => id)
    const ids = recorded.map(({ id }) => id)
    expect(await list()).toEqual(ids.slice(0, 3))
    expect(await list(ids[2])).toEqual(ids.slice(3, 6))
    expect(await list(ids[5])).toEqual(ids.slice(6))
    expect(await list(ids[6])).toEqual([])
    expect(await list('unknown')).toEqual([])
    expect(await stores.audit.list({ kind: 'user', id: 'john' }, { limit: 3 })).toEqual([])
    expect(await stores.audit.list({ kind: 'settings', id: jane }, { limit: 100 })).toHaveLength(7)
  })

  test('the changes of a user come by their numbers, either way, without what changed nothing', async () => {
    await using stores = await open()
    for (const number of upTo(6)) {
      // Clocks of several servers may differ; numbers do not.
      const then = createRecorder({ now: () => later(10 - number) })
      const changed = then.event('user.changed', system, about, { fields: [`${number}`] }, number)
      await stores.audit.record([
        changed,
        then.event('user.signed_out', system, about, {}),
        event('65f0c0ffee65f0c0ffee65f1' as UserId, number),
      ])
    }
    const changes = async (beyond: number | undefined, ascending: boolean, limit = 4) =>
      (await stores.audit.changes(jane, { beyond, ascending, limit })).map(({ sequence, subject }) =>
        subject.id === jane ? sequence : subject,
      )
    expect(await changes(undefined, false)).toEqual([6, 5, 4, 3])
    expect(await changes(3, false)).toEqual([2, 1])
    expect(await changes(undefined, true)).toEqual([1, 2, 3, 4])
    expect(await changes(4, true)).toEqual([5, 6])
    expect(await changes(6, true)).toEqual([])
    expect(await stores.audit.changes('nobody', { ascending: false, limit: 4 })).toEqual([])
  })

  test('a change is recorded once, and what is recorded with it is there with it or not at all', async () => {
    await using stores = await open()
    await stores.audit.record([event(jane, 1), event(jane), event(jane)])
    await expect(stores.audit.record([event(jane, 2), event(jane), event(jane, 1)])).rejects.toThrow()
    const [first] = await stores.audit.list(about, { limit: 1 })
    await expect(stores.audit.record([event(jane, 3), first as AuditEvent])).rejects.toThrow()
    expect(await stores.audit.list(about, { limit: 10 })).toHaveLength(3)
    await stores.audit.record([event(jane, 2)])
    await stores.audit.record([event('65f0c0ffee65f0c0ffee65f1' as UserId, 1)])
  })

  test('a reader of all events goes on where it stood, and misses nothing that two write at once', async () => {
    await using stores = await open()
    await using other = await stores.again()
    const signedOut = (clientId: string) => createRecorder({ now: () => new Date() }).event('user.signed_out', system, about, { clientId })
    await stores.audit.record([signedOut('before')])
    const types = ['user.signed_out', 'user.locked'] as const
    let { events, cursor } = await stores.audit.since(undefined, types, 10)
    expect(events).toEqual([])
    const written = upTo(60).map((number) => signedOut(`${number}`))
    const read: AuditEvent[] = []
    const writing = Promise.all(written.map((each, index) => (index % 2 ? stores : other).audit.record([each])))
    for (let reads = 0; reads < 200 && read.length < written.length; reads += 1) {
      await new Promise(setImmediate)
      ;({ events, cursor } = await other.audit.since(cursor, types, 7))
      read.push(...events)
    }
    await writing
    expect(read.map(({ id }) => id).sort()).toEqual(written.map(({ id }) => id).sort())
    await stores.audit.record([event(jane)])
    expect((await stores.audit.since(cursor, types, 10)).events).toEqual([])
  })
}
