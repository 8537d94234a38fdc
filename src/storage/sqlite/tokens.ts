import type { PersonalAccessToken, PersonalAccessTokenStore } from '#src/domain/users/store.ts'
import { type UserId, UserNotFound } from '#src/domain/users/user.ts'
import { writeEvents } from './audit.ts'
import type { Database } from './database.ts'
import { lacksParent } from './failures.ts'

interface TokenRow {
  readonly id: string
  readonly user_id: string
  readonly name: string
  readonly hash: string
  readonly created_at: number
  readonly expires_at: number | null
}

const columns = 'id, user_id, name, hash, created_at, expires_at'

export function createPersonalAccessTokenStore(database: Database): PersonalAccessTokenStore {
  return {
    insert: (token, events) =>
      database.write(() => {
        insertRow(database, token)
        writeEvents(database, events)
      }),

    findByHash: (hash) =>
      database.read(() => {
        const row = database.get<TokenRow>(`SELECT ${columns} FROM personal_access_tokens WHERE hash = ?`, hash)
        return row && tokenOf(row)
      }),

    list: (userId) =>
      database.read(() =>
        database
          .all<TokenRow>(`SELECT ${columns} FROM personal_access_tokens WHERE user_id = ? ORDER BY created_at, id`, userId)
          .map(tokenOf),
      ),

    remove: (userId, id, events) =>
      database.write(() => {
        const found = database.run('DELETE FROM personal_access_tokens WHERE user_id = ? AND id = ?', userId, id) > 0
        if (found) writeEvents(database, events)
        return found
      }),
  }
}

function insertRow(database: Database, token: PersonalAccessToken): void {
  try {
    database.run(
      `INSERT INTO personal_access_tokens (${columns}) VALUES (?, ?, ?, ?, ?, ?)`,
      token.id,
      token.userId,
      token.name,
      token.hash,
      token.createdAt.getTime(),
      token.expiresAt?.getTime() ?? null,
    )
  } catch (error) {
    throw lacksParent(error) ? new UserNotFound(token.userId, { cause: error }) : error
  }
}

function tokenOf(row: TokenRow): PersonalAccessToken {
  const token = { id: row.id, userId: row.user_id as UserId, name: row.name, hash: row.hash, createdAt: new Date(row.created_at) }
  return row.expires_at === null ? token : { ...token, expiresAt: new Date(row.expires_at) }
}
