/**
 * One SQLite file: its connection, its prepared statements, its reads and its writes.
 *
 * Hands writes to the group commit and failures to `failures.ts`. Knows no table.
 */

import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { CannotStart, StoreUnavailable } from '#src/base/errors.ts'
import { isBusy, translated } from './failures.ts'
import { GroupCommit } from './group-commit.ts'
import { blockingMs, whileBusy } from './patience.ts'

/** `FULL` survives a loss of power with every commit; `NORMAL` may lose the last ones, and is many times as fast. */
export type Synchronous = 'FULL' | 'NORMAL'

const mostStatements = 500

export class Database {
  readonly path: string
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #rowStatements = new Map<string, StatementSync>()
  #group: GroupCommit | undefined
  #closed: Promise<void> | undefined

  constructor(path: string) {
    this.path = path
    this.#connection = new DatabaseSync(path, { timeout: blockingMs })
  }

  /** Sets how the file is written. Separate from opening, because it changes a file that may not be ours to change. @throws CannotStart */
  configure(synchronous: Synchronous): void {
    const mode = this.get<{ journal_mode: string }>('PRAGMA journal_mode = WAL')?.journal_mode
    if (mode !== 'wal') {
      throw new CannotStart(`${this.path} is on a file system without shared memory: name a directory on a local disk in DOSSIER_STORE`)
    }
    this.#connection.exec(`
      PRAGMA synchronous = ${synchronous};
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -8192;
      PRAGMA journal_size_limit = 67108864;
    `)
    this.#group = new GroupCommit(this.#connection)
  }

  /** Gives statements a function that answers the same whenever it gets the same; a truth is 1 or 0. */
  define(name: string, judge: (...values: SQLOutputValue[]) => boolean | string): void {
    this.#connection.function(name, { deterministic: true, varargs: true }, (...values) => {
      const answer = judge(...values)
      return typeof answer === 'string' ? answer : Number(answer)
    })
  }

  /** Runs SQL that answers nothing, outside of the group commit: for the start. */
  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  /** Runs `work` in a transaction of its own, at once: for the start. */
  transaction(work: () => void): void {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#connection.exec('COMMIT')
    } finally {
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
    }
  }

  get<Row>(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...parameters) as Row | undefined
  }

  all<Row>(sql: string, ...parameters: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...parameters) as Row[]
  }

  /** Rows as arrays in the order of the columns: for hot reads, where making objects with names costs more than the reading. */
  rows(sql: string, ...parameters: SQLInputValue[]): SQLOutputValue[][] {
    return this.#preparedRows(sql).all(...parameters) as unknown as SQLOutputValue[][]
  }

  /** Runs a writing statement and answers how many rows it changed. Only inside `write`. */
  run(sql: string, ...parameters: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...parameters).changes)
  }

  /** Answers what `work` reads. One statement sees one state of the file. @throws StoreUnavailable */
  async read<T>(work: () => T): Promise<T> {
    try {
      return this.readNow(work)
    } catch (error) {
      if (!(error instanceof StoreUnavailable && isBusy(error.cause))) throw error
    }
    try {
      return await whileBusy(() => this.#open(work))
    } catch (error) {
      throw translated(error)
    }
  }

  /** Like `read`, for `work` of several statements that must see the same state. @throws StoreUnavailable */
  readTogether<T>(work: () => T): Promise<T> {
    return this.read(() => {
      this.#prepared('BEGIN').run()
      try {
        return work()
      } finally {
        if (this.#connection.isTransaction) this.#prepared('ROLLBACK').run()
      }
    })
  }

  /** Like `read`, without ever waiting. @throws StoreUnavailable */
  readNow<T>(work: () => T): T {
    try {
      return this.#open(work)
    } catch (error) {
      throw translated(error)
    }
  }

  /** Runs `work` in a transaction that it may share with others; see `GroupCommit.write`. */
  write<T>(work: () => T): Promise<T> {
    if (this.#closed || !this.#group) return Promise.reject(new StoreUnavailable('it is closed'))
    return this.#group.write(work)
  }

  /** Whether the file can be read, and written again if the last write failed. @throws StoreUnavailable */
  async ping(): Promise<void> {
    await this.read(() => this.get('SELECT count(*) FROM sqlite_schema'))
    if (this.#group?.failure === undefined) return
    await this.write(() => {
      const version = this.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0
      this.#connection.exec(`PRAGMA user_version = ${version}`)
    })
  }

  /** Writes what is queued, folds the log into the file and closes it. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#group?.idle()
    try {
      if (this.#group) this.#connection.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // The log stays beside the file and is read at the next start, so nothing is lost.
    } finally {
      this.#statements.clear()
      this.#rowStatements.clear()
      this.#connection.close()
    }
  }

  #open<T>(work: () => T): T {
    if (this.#closed) throw new StoreUnavailable('it is closed')
    return work()
  }

  #preparedRows(sql: string): StatementSync {
    const known = this.#rowStatements.get(sql)
    if (known) return known
    const statement = this.#prepare(sql, this.#rowStatements)
    statement.setReturnArrays(true)
    return statement
  }

  #prepared(sql: string): StatementSync {
    return this.#statements.get(sql) ?? this.#prepare(sql, this.#statements)
  }

  /** Searches are made of what somebody asks for, so there is no end of them: the statement that was prepared first goes. */
  #prepare(sql: string, statements: Map<string, StatementSync>): StatementSync {
    const statement = this.#connection.prepare(sql)
    if (statements.size >= mostStatements) statements.delete(statements.keys().next().value as string)
    statements.set(sql, statement)
    return statement
  }
}
