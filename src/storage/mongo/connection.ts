/**
 * The connection to a MongoDB deployment: its client, and how every read and every change goes through it.
 *
 * Owns deadlines, transactions, retries and the meaning of failures. Knows no collection.
 *
 * A change is optimistic: read, decide, and write in a transaction on the condition that what was read still stands. Whoever comes
 * second decides again. Changes of one record that meet in this process wait in a lane instead, so that fifty at once take fifty
 * turns and not a thousand tries; what is left to race against is other processes.
 *
 * A process that is killed between the writing and the commit leaves its transaction to the server, which undoes it after
 * `transactionLifetimeLimitSeconds` (60 unless the operator says otherwise). Until then changes of that one record are answered with
 * `StoreUnavailable`; reads, and changes of other records, do not notice.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ClientSession, Db, MongoClient, MongoClientOptions } from 'mongodb'
import { StoreUnavailable } from '#src/base/errors.ts'
import { isRace, isUnknownCommit, translated } from './failures.ts'
import { Lanes } from './lanes.ts'

/** Within this a caller is answered, one way or the other: below the five seconds within which a request must be. */
const patienceMs = 4500

/**
 * The primary is asked for everything, whatever the address says: a secondary may not know yet what was just revoked. Members are looked
 * at every two seconds, so that a half-open connection is given up soon.
 */
export const servingOptions: MongoClientOptions = {
  appName: 'dossier',
  readPreference: 'primary',
  readConcern: { level: 'local' },
  writeConcern: { w: 'majority' },
  retryWrites: true,
  retryReads: true,
  serverSelectionTimeoutMS: 4000,
  connectTimeoutMS: 3000,
  socketTimeoutMS: 10_000,
  waitQueueTimeoutMS: 4000,
  heartbeatFrequencyMS: 2000,
  ignoreUndefined: true,
  promoteBuffers: true,
}

/** Runs `work` in a transaction that is committed when it returns, and undone when it throws. */
export type Transaction = <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>

export class Connection {
  readonly database: Db
  readonly #client: MongoClient
  readonly #lanes = new Lanes()
  #underWay = 0
  #idle: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(client: MongoClient) {
    this.#client = client
    this.database = client.db()
  }

  /** Answers what `work` reads, or what a single write answers. @throws StoreUnavailable, and what `work` throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreUnavailable('it is closed')
    this.#underWay += 1
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new StoreUnavailable('it did not answer in time')), patienceMs)
    })
    try {
      return await Promise.race([work(), late])
    } catch (error) {
      throw translated(error)
    } finally {
      clearTimeout(timer)
      this.#underWay -= 1
      if (this.#underWay === 0) this.#idle?.()
    }
  }

  /**
   * Runs `attempt`, again when it lost a race, after the other changes of `record` in this process. When no answer comes in time it is
   * not known whether the change was made.
   * @throws StoreUnavailable, and what `attempt` throws
   */
  change<T>(record: string, attempt: (transaction: Transaction) => Promise<T>): Promise<T> {
    const deadline = performance.now() + patienceMs
    const transaction: Transaction = (work) => this.#transaction(work, deadline)
    return this.run(() => this.#lanes.run(record, () => untilWon(() => attempt(transaction), deadline)))
  }

  /** Waits for what is under way, and lets go of every connection. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    await this.#client.close()
  }

  async #transaction<T>(work: (session: ClientSession) => Promise<T>, deadline: number): Promise<T> {
    const session = this.#client.startSession()
    try {
      session.startTransaction()
      const value = await work(session)
      await committed(session, deadline)
      return value
    } finally {
      // A transaction that cannot be undone now ends by itself on the server; what went wrong before it is the news.
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined)
      await session.endSession()
    }
  }
}

async function committed(session: ClientSession, deadline: number): Promise<void> {
  for (;;) {
    try {
      await session.commitTransaction()
      return
    } catch (error) {
      if (!isUnknownCommit(error) || performance.now() >= deadline) throw error
      await delay(20)
    }
  }
}

async function untilWon<T>(attempt: () => Promise<T>, deadline: number): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    if (performance.now() >= deadline) throw new StoreUnavailable('too many change the same record at once')
    try {
      return await attempt()
    } catch (error) {
      if (!isRace(error) || performance.now() >= deadline) throw error
      await delay(Math.random() * Math.min(5 * 2 ** tries, 400))
    }
  }
}
