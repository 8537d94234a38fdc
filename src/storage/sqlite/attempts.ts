import type { AttemptStore, Attempts } from '#src/domain/users/store.ts'
import type { Database } from './database.ts'

interface AttemptRow {
  readonly failures: number
  readonly last_at: number
}

/** No key has it, and every key comes before it. */
const last = '\u{10ffff}'

export function createAttemptStore(database: Database): AttemptStore {
  function countOne(key: string, at: number, windowMs: number): Attempts | undefined {
    const row = database.get<AttemptRow>('SELECT failures, last_at FROM attempts WHERE key = ?', key)
    const before = row && row.last_at + windowMs > at ? { failures: row.failures, lastAt: new Date(row.last_at) } : undefined
    database.run(
      `INSERT INTO attempts (key, failures, last_at, expires_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, expires_at = excluded.expires_at`,
      key,
      (before?.failures ?? 0) + 1,
      at,
      at + windowMs,
    )
    return before
  }

  return {
    count: (keys, at, windowSeconds) => database.write(() => keys.map((key) => countOne(key, at.getTime(), windowSeconds * 1000))),

    takeBack: (taken) =>
      database.write(() => {
        for (const { key, before } of taken) {
          if (database.run('DELETE FROM attempts WHERE key = ? AND failures <= 1', key) > 0) continue
          const lastAt = before?.lastAt.getTime() ?? Number.MAX_SAFE_INTEGER
          database.run('UPDATE attempts SET failures = failures - 1, last_at = min(last_at, ?) WHERE key = ?', lastAt, key)
        }
      }),

    forget: (keys) =>
      database.write(() => {
        for (const key of keys) database.run('DELETE FROM attempts WHERE key = ?', key)
      }),

    forgetAll: (start) =>
      database.write(() => {
        database.run('DELETE FROM attempts WHERE key >= ? AND key < ?', start, start + last)
      }),
  }
}
