/**
 * What the console's lists ask of the domain, each measured by the CPU that a call takes in a process of its own: no browser asks for them often enough to be
 * measured by requests a second. A page over HTTP is a scenario like others (scenarios.ts), with `limitMilliseconds`.
 */
import type { Domain } from '#src/compose.ts'
import { createSignInStatistics } from '#src/domain/audit/signInStatistics.ts'
import type { TrailFilter } from '#src/domain/audit/trail.ts'
import type { BrowseFilter } from '#src/domain/users/browse.ts'
import type { Row } from './table.ts'

/** What a list knows of the seeded data. */
interface ListFacts {
  readonly projectId: string
  readonly userIds: readonly string[]
  readonly users: number
}

export interface AskedLists {
  readonly names: readonly string[]
  readonly seconds: number
  readonly facts: ListFacts
}

export type Measured = Omit<Row, 'store' | 'ratio' | 'limitMilliseconds'>

/** Makes the call that is repeated; what it does first is not measured. */
type List = (domain: Domain, facts: ListFacts) => Promise<(round: number) => Promise<unknown>>

const limit = 50

const browsing =
  (filterOf: (facts: ListFacts, round: number) => BrowseFilter): List =>
  async ({ browsing: { browse } }, facts) =>
  (round) =>
    browse(filterOf(facts, round), { limit })

/** Pages behind as many as 100,000 users. */
const browsingDeep: List = async ({ browsing: { browse } }) => {
  const cursors: string[] = []
  let after: string | undefined
  for (let page = 0; page < 200; page += 1) {
    after = (await browse({}, { after, limit: 500 })).next
    if (after === undefined) break
    cursors.push(after)
  }
  return (round) => browse({}, { after: cursors[cursors.length - 1 - (round % Math.min(20, cursors.length))], limit })
}

const reading =
  (filterOf: (facts: ListFacts, round: number) => TrailFilter): List =>
  async ({ trail }, facts) =>
  (round) =>
    trail.page(filterOf(facts, round), { limit })

const lists: Readonly<Record<string, List>> = {
  'lists: users, first page': browsing(() => ({})),
  'lists: users, page far behind': browsingDeep,
  'lists: users, one word': browsing((_, round) => ({ text: ['anna', 'ba', 'user-77', 'example'][round % 4] })),
  'lists: users, two words': browsing((_, round) => ({ text: ['anna bade', 'user-12 hiroshi', 'bench.example fifi'][round % 3] })),
  'lists: users, rare state and broad word': browsing(() => ({ state: 'locked', text: 'anna' })),
  'lists: users, two broad conditions that nobody meets': browsing(({ users }) => ({
    kind: 'machine',
    text: users > 1 ? 'anna elif' : '',
  })),
  'lists: users, metadata key': browsing((_, round) => ({ metadata: { key: `key-${round % 2}` } })),
  'lists: users, metadata key and value': browsing((_, round) => ({
    metadata: { key: 'key-0', value: Buffer.from(`plan ${round % 100}`) },
  })),
  'lists: users, granted': browsing(({ projectId }) => ({ granted: projectId })),
  'lists: users, granted, machine, plan and word': browsing(({ projectId }, round) => ({
    granted: projectId,
    kind: 'human',
    text: 'user',
    metadata: { key: 'key-0', value: Buffer.from(`plan ${round % 100}`) },
  })),
  'lists: trail, everything': reading(() => ({})),
  'lists: trail, by type': reading(() => ({ types: ['user.sign_in_failed'] })),
  'lists: trail, by ten types': reading(() => ({
    types: [
      'user.sign_in_failed',
      'user.signed_in',
      'user.signed_out',
      'user.created',
      'token.issued',
      'user.locked',
      'key.created',
      'key.removed',
      'app.created',
      'app.removed',
    ],
  })),
  'lists: trail, by actor': reading(() => ({ actor: { kind: 'system' } })),
  'lists: trail, by actor and type, of one day': reading(() => ({
    actor: { kind: 'system' },
    types: ['user.signed_in'],
    from: new Date(Date.now() - 5 * 86_400_000),
    to: new Date(Date.now() - 4 * 86_400_000),
  })),
  'lists: sign-ins of 14 days, counted before': async ({ stores }) => {
    let now = Date.now()
    const statistics = createSignInStatistics({ store: stores.audit, now: () => new Date(now) })
    await statistics()
    return () => {
      now += 10_000
      return statistics()
    }
  },
  'lists: sign-ins of 14 days, for the first time':
    async ({ stores, now }) =>
    () =>
      createSignInStatistics({ store: stores.audit, now })(),
  'lists: number of users': async ({ browsing: { count } }) => count,
  'lists: metadata of a user without values':
    async ({ metadata }, { userIds }) =>
    (round) =>
      metadata.summaries(userIds[round % userIds.length] as never, { limit: 100 }),
}

export const listNames = Object.keys(lists)

/** Calls each list for some seconds, one call after the other. */
export async function measured(domain: Domain, { names, seconds, facts }: AskedLists): Promise<readonly Measured[]> {
  const rows: Measured[] = []
  for (const name of names) {
    const call = await (lists[name] as List)(domain, facts)
    for (let round = 0; round < 20; round += 1) await call(round)
    const milliseconds: number[] = []
    const before = process.cpuUsage()
    const startedAt = performance.now()
    while (performance.now() < startedAt + seconds * 1000) {
      const began = performance.now()
      await call(milliseconds.length)
      milliseconds.push(performance.now() - began)
    }
    const { user, system } = process.cpuUsage(before)
    milliseconds.sort((a, b) => a - b)
    const requests = milliseconds.length
    rows.push({
      scenario: name,
      requests,
      seconds: (performance.now() - startedAt) / 1000,
      p50: milliseconds[Math.floor(requests * 0.5)] ?? 0,
      p99: milliseconds[Math.floor(requests * 0.99)] ?? 0,
      cpuMicroseconds: (user + system) / requests,
      rssBytes: process.memoryUsage.rss(),
    })
  }
  return rows
}
