import type { KeyStore, StoredKey } from '#src/domain/keys/store.ts'
import { writeEvents } from './audit.ts'
import type { Database } from './database.ts'
import type { Revision } from './revision.ts'

interface KeyRow {
  readonly kid: string
  readonly algorithm: StoredKey['algorithm']
  readonly sealed: string
  readonly created_at: number
  readonly active_from: number
  readonly published_until: number | null
}

const columns = 'kid, algorithm, sealed, created_at, active_from, published_until'

export function createKeyStore(database: Database, revision: Revision): KeyStore {
  return {
    list: () => database.read(() => database.all<KeyRow>(`SELECT ${columns} FROM signing_keys ORDER BY created_at, kid`).map(keyOf)),

    commit: ({ put, remove, events }) =>
      database.write(() => {
        for (const key of put) {
          database.run(
            `INSERT OR REPLACE INTO signing_keys (${columns}) VALUES (?, ?, ?, ?, ?, ?)`,
            key.kid,
            key.algorithm,
            key.sealed,
            key.createdAt.getTime(),
            key.activeFrom.getTime(),
            key.publishedUntil?.getTime() ?? null,
          )
        }
        for (const kid of remove) database.run('DELETE FROM signing_keys WHERE kid = ?', kid)
        revision.move()
        writeEvents(database, events)
      }),
  }
}

function keyOf(row: KeyRow): StoredKey {
  const key = {
    kid: row.kid,
    algorithm: row.algorithm,
    sealed: row.sealed,
    createdAt: new Date(row.created_at),
    activeFrom: new Date(row.active_from),
  }
  return row.published_until === null ? key : { ...key, publishedUntil: new Date(row.published_until) }
}
