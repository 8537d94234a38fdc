import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '#src/base/clock.ts'
import type { AuditStore, EventType } from './events.ts'

/** What happened on one day, by UTC. */
export interface SignInsOfDay {
  /** Such as 2026-03-01. */
  readonly day: string
  readonly signedIn: number
  readonly failed: number
}

const dayMs = 86_400_000
const days = 14

/** An answer is given again for so long. */
const freshMs = 10_000

/** Events are written within this after their time, so what is older stays as it is counted. */
const latestMs = 60_000

/**
 * Sign-ins and failures of the last 14 days, the oldest first. What is over is counted once in the life of a process, and of today only the last minute
 * again, every ten seconds at the most, however many ask.
 */
export function createSignInStatistics({ store, now }: { readonly store: Pick<AuditStore, 'count'>; readonly now: Clock }) {
  const signedIn = createDailyCount(store, ['user.signed_in', 'user.logged_in'])
  const failed = createDailyCount(store, ['user.sign_in_failed'])
  let answer: { readonly at: number; readonly days: Promise<readonly SignInsOfDay[]> } | undefined

  async function count(at: number): Promise<readonly SignInsOfDay[]> {
    const today = at - (at % dayMs)
    const counted: SignInsOfDay[] = []
    for (let start = today - (days - 1) * dayMs; start <= today; start += dayMs) {
      counted.push({
        day: new Date(start).toISOString().slice(0, 10),
        signedIn: await signedIn(start, at),
        failed: await failed(start, at),
      })
      await nextTurn()
    }
    return counted
  }

  return (): Promise<readonly SignInsOfDay[]> => {
    const at = now().getTime()
    if (answer && at - answer.at < freshMs) return answer.days
    const counting = { at, days: count(at) }
    answer = counting
    // Whoever waits is told; the next one asks again.
    counting.days.catch(() => {
      if (answer === counting) answer = undefined
    })
    return counting.days
  }
}

/** Counts events of a day as they stand at a moment, and remembers what will not change any more. */
function createDailyCount(store: Pick<AuditStore, 'count'>, types: readonly EventType[]) {
  const settled = new Map<number, { readonly count: number; readonly until: number }>()
  const between = (from: number, to: number) => (from < to ? store.count({ types, from: new Date(from), to: new Date(to) }) : 0)

  return async (start: number, at: number): Promise<number> => {
    const end = start + dayMs
    const known = settled.get(start) ?? { count: 0, until: start }
    const until = Math.max(known.until, Math.min(end, at - latestMs))
    const count = known.count + (await between(known.until, until))
    settled.set(start, { count, until })
    for (const day of settled.keys()) if (day < at - (days + 1) * dayMs) settled.delete(day)
    return count + (await between(until, end))
  }
}
