/**
 * Group commit: writes that arrive in one turn of the event loop share one transaction, and so one wait for the disk.
 *
 * Owns the queue and the transaction. A write that fails takes none of its companions with it: they run again, each in a transaction of its own.
 * Nobody is told of success before COMMIT has succeeded. While another process holds the lock the queue waits without blocking the event loop.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StoreUnavailable } from '#src/base/errors.ts'
import { isBusy, translated } from './failures.ts'
import { patienceMs } from './patience.ts'

interface Job {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly queuedAt: number
}

/** Bounds how long one turn of the event loop can take. */
const groupSize = 256

export class GroupCommit {
  readonly #connection: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  #queue: Job[] = []
  #scheduled = false
  #failure: unknown
  #waiting: (() => void)[] = []

  constructor(connection: DatabaseSync) {
    this.#connection = connection
    this.#begin = connection.prepare('BEGIN IMMEDIATE')
    this.#commit = connection.prepare('COMMIT')
  }

  /** Why the last transaction could not be written, until one succeeds. */
  get failure(): unknown {
    return this.#failure
  }

  /**
   * Runs `work` inside a transaction on current data and answers its value once that is durable. `work` is synchronous, and may run
   * again when it shared a transaction that did not come to its commit.
   * @throws StoreUnavailable, and whatever `work` throws
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject, queuedAt: performance.now() })
      this.#schedule()
    })
  }

  /** Resolves when nothing is queued any more. */
  idle(): Promise<void> {
    return this.#queue.length === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    try {
      this.#begin.run()
    } catch (error) {
      this.#postpone(error)
      return
    }
    this.#write(this.#queue.splice(0, groupSize))
    this.#continue()
  }

  #continue(): void {
    if (this.#queue.length > 0) this.#schedule()
    else for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** The lock is somebody else's: those who have waited long enough are told, the others try again a little later. */
  #postpone(error: unknown): void {
    const oldest = isBusy(error) ? performance.now() - patienceMs : Number.POSITIVE_INFINITY
    const overdue = this.#queue.filter((job) => job.queuedAt <= oldest)
    this.#queue = this.#queue.filter((job) => job.queuedAt > oldest)
    if (overdue.length > 0) this.#fail(overdue, error)
    if (this.#queue.length > 0) {
      this.#scheduled = true
      setTimeout(this.#flush, 1 + Math.random() * 8)
    } else this.#continue()
  }

  /** Runs `jobs` in the transaction that is open, and ends it. */
  #write(jobs: readonly Job[]): void {
    let values: unknown[]
    try {
      values = jobs.map(({ work }) => work())
      this.#commit.run()
    } catch (error) {
      this.#rollBack()
      // Which of them it was does not matter: savepoints would tell, and cost every write what here only a failure costs.
      if (jobs.length > 1) this.#separate(jobs)
      else this.#fail(jobs, error)
      return
    }
    this.#failure = undefined
    for (const [index, job] of jobs.entries()) job.resolve(values[index])
  }

  /** Gives each job a transaction of its own, so that the others are not lost with the one that fails. */
  #separate(jobs: readonly Job[]): void {
    for (const job of jobs) {
      try {
        this.#begin.run()
      } catch (error) {
        this.#fail([job], error)
        continue
      }
      this.#write([job])
    }
  }

  #rollBack(): void {
    try {
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
    } catch {
      // What ended the transaction is reported already; a connection that cannot even roll back reports that at the next BEGIN.
    }
  }

  #fail(jobs: readonly Job[], error: unknown): void {
    const reason = this.#noted(error)
    for (const job of jobs) job.reject(reason)
  }

  #noted(error: unknown): unknown {
    const reason = translated(error)
    if (reason instanceof StoreUnavailable) this.#failure = reason
    return reason
  }
}
