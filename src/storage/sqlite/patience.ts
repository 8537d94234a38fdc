import { setTimeout as delay } from 'node:timers/promises'
import { isBusy } from './failures.ts'

/** How long a read, a write or a start waits for a lock: below the five seconds within which a request must be answered. */
export const patienceMs = 4000

/** A connection blocks the event loop while it waits, so SQLite itself waits this long only; the rest is waited asynchronously. */
export const blockingMs = 3

/** Tries again while another connection holds the lock, for `patienceMs`. @throws what `attempt` threw last */
export async function whileBusy<T>(attempt: () => T): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
      await delay(5 + Math.random() * 15)
    }
  }
}
