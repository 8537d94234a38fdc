import { expect, test } from 'vitest'
import { CursorInvalid } from '#src/base/page.ts'
import type { Actor, AuditEvent, EventType, Subject } from '#src/domain/audit/events.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import { createTrail, type TrailFilter } from '#src/domain/audit/trail.ts'
import { createSealer } from '#src/domain/keys/seal.ts'
import { later, type Open, oddKeys, system } from './contract.ts'

const sealer = createSealer(['the secret of these tests, which is long enough'])
const admin = { kind: 'user', id: '65f0c0ffee65f0c0ffee65f0' } as const
const root = { kind: 'cli', name: 'root' } as const
const types: readonly EventType[] = ['user.signed_out', 'user.deactivated', 'key.removed']
const actors: readonly Actor[] = [admin, root, system, { kind: 'user', id: 'system' }]
const subjects: readonly Subject[] = [
  { kind: 'user', id: 'jane' },
  { kind: 'app', id: 'jane' },
  { kind: 'user', id: 'john' },
]

const eventAt = (seconds: number, type: EventType, actor: Actor, subject: Subject) =>
  createRecorder({ now: () => later(seconds) }).event(type, actor, subject, {} as never)

/** Sixty events, two of each moment, of every type by every actor about every subject. */
async function history(open: Open) {
  const stores = await open()
  const trail = createTrail({ store: stores.audit, sealer })
  const events = Array.from({ length: 60 }, (_, number) =>
    eventAt(Math.floor(number / 2), types[number % 3] as EventType, actors[number % 4] as Actor, subjects[(number >> 2) % 3] as Subject),
  )
  for (let start = 0; start < 60; start += 20) await stores.audit.record(events.slice(start, start + 20))
  /** The ids of everything that a filter finds, page by page. */
  async function visited(filter: TrailFilter, limit: number, between: () => Promise<unknown> = async () => undefined) {
    const found: AuditEvent[] = []
    let after: string | undefined
    do {
      const page = await trail.page(filter, { after, limit })
      expect(page.items.length).toBeLessThanOrEqual(limit)
      found.push(...page.items)
      after = page.next
      await between()
    } while (after !== undefined)
    return found
  }
  return Object.assign(stores, { trail, events, visited })
}

const finds = ({ types: wanted, actor, subject, from, to }: TrailFilter, event: AuditEvent) =>
  (!wanted || wanted.includes(event.type)) &&
  (!actor ||
    (actor.kind === event.actor.kind && (actor.kind !== 'user' || (event.actor.kind === 'user' && actor.id === event.actor.id)))) &&
  (!subject || (subject.kind === event.subject.kind && subject.id === event.subject.id)) &&
  (!from || event.at >= from) &&
  (!to || event.at < to)

const filters: readonly TrailFilter[] = [
  {},
  { types: ['user.signed_out'] },
  { types: ['user.signed_out', 'key.removed', 'user.signed_out'] },
  { types: [] },
  { types: ['app.created'] },
  { actor: admin },
  { actor: { kind: 'user', id: 'system' } },
  { actor: { kind: 'user', id: 'nobody' } },
  { actor: { kind: 'cli' } },
  { actor: { kind: 'system' } },
  { subject: { kind: 'user', id: 'jane' } },
  { subject: { kind: 'app', id: 'jane' } },
  { from: later(10) },
  { to: later(10) },
  { from: later(3), to: later(21) },
  { from: later(21), to: later(3) },
  { types: ['user.deactivated', 'key.removed'], from: later(5), to: later(25) },
  { actor: { kind: 'cli' }, types: ['user.deactivated'] },
  { actor: admin, subject: { kind: 'user', id: 'john' }, to: later(28) },
  { actor: { kind: 'system' }, subject: { kind: 'user', id: 'jane' }, types: ['key.removed', 'user.deactivated'], from: later(1) },
]

export function trailContract(open: Open): void {
  test('paging visits everything that a filter finds exactly once, the newest first', async () => {
    await using stores = await history(open)
    for (const filter of filters) {
      const expected = stores.events.filter((event) => finds(filter, event)).reverse()
      for (const limit of [4, 1000]) expect(await stores.visited(filter, limit), JSON.stringify(filter)).toEqual(expected)
      expect(await Array.fromAsync(stores.trail.all(filter))).toEqual(expected)
    }
  })

  test('what is recorded in between disturbs no page', async () => {
    await using stores = await history(open)
    for (const filter of [
      {},
      { types: ['user.signed_out'] },
      { actor: admin },
      { subject: { kind: 'user', id: 'jane' } },
    ] satisfies TrailFilter[]) {
      const expected = await stores.visited(filter, 1000)
      const record = () => stores.audit.record([eventAt(60, 'user.signed_out', admin, { kind: 'user', id: 'jane' })])
      expect(await stores.visited(filter, 5, record)).toEqual(expected)
      const all: AuditEvent[] = []
      for await (const event of stores.trail.all(filter)) {
        if (all.length === 0) await record()
        all.push(event)
      }
      expect(all.length).toBeGreaterThan(expected.length)
      expect(all.slice(-expected.length)).toEqual(expected)
    }
  })

  test('what actors and subjects are called means nothing', async () => {
    await using stores = await open()
    const trail = createTrail({ store: stores.audit, sealer })
    const events = oddKeys.map((id, number) => eventAt(number, 'user.removed', { kind: 'user', id }, { kind: 'user', id }))
    await stores.audit.record(events)
    for (const [index, id] of oddKeys.entries()) {
      for (const filter of [{ actor: { kind: 'user', id } }, { subject: { kind: 'user', id } }] satisfies TrailFilter[]) {
        expect((await trail.page(filter, { limit: 5 })).items, JSON.stringify(filter)).toEqual([events[index]])
      }
    }
  })

  test('a cursor that is not ours, or that of another filter, is refused', async () => {
    await using stores = await history(open)
    const { next } = await stores.trail.page({ actor: admin }, { limit: 2 })
    if (next === undefined) return expect.unreachable()
    for (const after of ['', 'x', '7', '65f0c0ffee65f0c0ffee65f0', next.slice(1), `${next}AAAA`]) {
      await expect(stores.trail.page({ actor: admin }, { after, limit: 2 }), after).rejects.toThrow(CursorInvalid)
    }
    await expect(stores.trail.page({}, { after: next, limit: 2 })).rejects.toThrow(CursorInvalid)
    await expect(stores.trail.page({ actor: admin, from: later(1) }, { after: next, limit: 2 })).rejects.toThrow(CursorInvalid)
  })

  test('events of some types are counted in a period', async () => {
    await using stores = await history(open)
    for (const [wanted, from, to] of [
      [['user.signed_out'], 0, 30],
      [['user.signed_out', 'key.removed'], 3, 10],
      [['user.signed_out', 'key.removed'], 10, 3],
      [[], 0, 30],
    ] as const) {
      const period = { types: wanted, from: later(from), to: later(to) }
      expect(await stores.audit.count(period)).toBe(stores.events.filter((event) => finds(period, event)).length)
    }
  })
}
