import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { AuditStore, EventType, Subject } from '#src/domain/audit/events.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import { createSignInStatistics } from '#src/domain/audit/signInStatistics.ts'
import { createTrail, examinedEvents, type TrailFilter } from '#src/domain/audit/trail.ts'
import { createSealer } from '#src/domain/keys/seal.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { later, system, upTo } from '../contract/contract.ts'
import { tempDir } from '../support/temp.ts'

const sealer = createSealer(['the secret of these tests, which is long enough'])

async function open(count: number) {
  const stores = await openSqlite(tempDir())
  const subject = (number: number): Subject => ({ kind: 'user', id: `user-${number % 2}` })
  const type = (number: number): EventType => (number % 2 === 0 ? 'user.signed_out' : 'user.consented')
  for (let start = 0; start < count; start += 5000) {
    const events = upTo(Math.min(5000, count - start)).map((number) =>
      createRecorder({ now: () => later(start + number) }).event(type(number), system, subject(number), {} as never),
    )
    await stores.audit.record(events)
  }
  let looked = 0
  const counting: AuditStore = {
    ...stores.audit,
    async places(...asked) {
      const places = await stores.audit.places(...asked)
      looked += places.length
      return places
    },
  }
  const trail = createTrail({ store: counting, sealer })
  return { ...stores, trail, looked: () => looked, [Symbol.asyncDispose]: () => stores.close() }
}

test('a page of the trail looks at a fixed number of events at the most, and says where to go on looking', async () => {
  await using stores = await open(6000)
  const filter: TrailFilter = { types: ['user.signed_out'], subject: { kind: 'user', id: 'user-1' } }
  let after: string | undefined
  for (const looked of [examinedEvents, 3000]) {
    const page = await stores.trail.page(filter, { after, limit: 20 })
    expect([page.items, stores.looked()]).toEqual([[], looked])
    after = page.next
  }
  expect(after).toBeUndefined()
})

/** What is alive after the garbage is gone. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return getHeapStatistics().used_heap_size
}

test('120,000 events are gone through in the memory of a page, and others get their turn meanwhile', async () => {
  await using stores = await open(120_000)
  const before = heapBytes()
  let turns = 0
  let done = false
  const count = () => {
    turns += 1
    if (!done) setImmediate(count)
  }
  setImmediate(count)
  let seen = 0
  let most = 0
  for await (const _ of stores.trail.all({})) {
    seen += 1
    if (seen % 20_000 === 0) most = Math.max(most, heapBytes() - before)
  }
  done = true
  expect(seen).toBe(120_000)
  expect(most).toBeLessThan(8_000_000)
  expect(turns).toBeGreaterThanOrEqual(120_000 / 500)
})

test('sign-ins are counted by day, days that are over once, and today no oftener than every ten seconds', async () => {
  const stores = await openSqlite(tempDir())
  let now = new Date('2026-03-20T12:00:00Z')
  const record = (type: EventType, time: string) =>
    stores.audit.record([createRecorder({ now: () => new Date(time) }).event(type, system, { kind: 'user', id: 'jane' }, {} as never)])
  const asked: { readonly from: Date; readonly to: Date }[] = []
  const store: Pick<AuditStore, 'count'> = {
    count(of) {
      asked.push(of)
      return stores.audit.count(of)
    },
  }
  const statistics = createSignInStatistics({ store, now: () => now })
  await record('user.signed_in', '2026-03-06T23:59:59.999Z')
  await record('user.signed_in', '2026-03-07T00:00:00Z')
  await record('user.logged_in', '2026-03-19T23:59:59.999Z')
  await record('user.sign_in_failed', '2026-03-20T00:00:00Z')
  await record('user.signed_out', '2026-03-20T01:00:00Z')
  const busy = async () => (await statistics()).filter(({ signedIn, failed }) => signedIn + failed > 0)
  expect((await statistics()).map(({ day }) => day)).toEqual(upTo(14).map((day) => `2026-03-${String(day + 6).padStart(2, '0')}`))
  expect(await busy()).toEqual([
    { day: '2026-03-07', signedIn: 1, failed: 0 },
    { day: '2026-03-19', signedIn: 1, failed: 0 },
    { day: '2026-03-20', signedIn: 0, failed: 1 },
  ])

  asked.length = 0
  now = new Date('2026-03-20T12:00:09Z')
  await record('user.signed_in', '2026-03-20T12:00:09Z')
  await Promise.all([statistics(), statistics()])
  expect(asked).toEqual([])
  now = new Date('2026-03-20T12:00:10Z')
  expect((await busy()).at(-1)).toEqual({ day: '2026-03-20', signedIn: 1, failed: 1 })
  expect(asked.every(({ from }) => from >= new Date('2026-03-20T11:59:00Z'))).toBe(true)

  now = new Date('2026-03-21T00:00:30Z')
  await record('user.signed_in', '2026-03-20T23:59:58Z')
  expect(await busy()).toEqual([
    { day: '2026-03-19', signedIn: 1, failed: 0 },
    { day: '2026-03-20', signedIn: 2, failed: 1 },
  ])
  await stores.close()
})

test('a count that fails is told, and the next one asks again', async () => {
  let works = false
  const store = { count: async () => (works ? 1 : Promise.reject(new Error('away'))) }
  const statistics = createSignInStatistics({ store, now: () => later(0) })
  await expect(statistics()).rejects.toThrow('away')
  works = true
  expect((await statistics())[0]).toMatchObject({ signedIn: 1, failed: 1 })
})
