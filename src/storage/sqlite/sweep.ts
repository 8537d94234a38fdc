import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '#src/base/clock.ts'
import { graceMs } from './artifacts.ts'
import type { Database } from './database.ts'

const everyMs = 60_000

/** Rows a transaction: few enough that nobody notices the wait. */
const batchSize = 500

/** Deletes what has expired, in small transactions with room for others in between. Answers how many rows went. */
export async function sweep(database: Database, now: Clock, isStopped = () => false): Promise<number> {
  const horizon = now().getTime() - graceMs
  const deleteBatch = () =>
    database.run('DELETE FROM artifacts WHERE number IN (SELECT number FROM artifacts WHERE expires_at <= ? LIMIT ?)', horizon, batchSize) +
    database.run('DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE expires_at <= ? LIMIT ?)', horizon, batchSize)
  let total = 0
  while (!isStopped()) {
    const removed = await database.write(deleteBatch)
    if (removed === 0) break
    total += removed
    await nextTurn()
  }
  return total
}

/** Sweeps every minute, without keeping the process alive, until the answered function is called; that resolves when a sweep under way has ended. */
export function startSweep(database: Database, now: Clock): () => Promise<void> {
  let stopped = false
  let underWay: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    // A sweep that fails is no news: requests meet the same failure and report it, and the next minute tries again.
    underWay = underWay.then(() => sweep(database, now, () => stopped)).catch(() => undefined)
  }, everyMs)
  timer.unref()
  return async () => {
    stopped = true
    clearInterval(timer)
    await underWay
  }
}
