import { metadataText } from '#src/domain/metadata/text.ts'
import { identityKeyOf } from '#src/domain/users/identity.ts'
import type { UserFilter } from '#src/domain/users/search.ts'
import type { UserStore } from '#src/domain/users/store.ts'
import { comparable, IdentityTaken, type User, type UserId, UserIdTaken, UserNotFound, UsernameTaken } from '#src/domain/users/user.ts'
import { writeEvents } from './audit.ts'
import type { Database } from './database.ts'
import { violatedIndex } from './failures.ts'
import { allEntries, keptText, putEntry } from './metadata.ts'
import { conditionsOf, countOfPlaces, placesOf } from './userBrowse.ts'
import { countOf, defineMatching, selectionOf } from './userSearch.ts'
import { replaceWords } from './userWords.ts'

interface UserRow {
  readonly id: string
  readonly state: User['state']
  readonly sequence: number
  readonly created_at: number
  readonly changed_at: number
  readonly document: string
}

/** State, sequence, time of creation, time of change, document. */
type HotRow = [User['state'], number, number, number, string]

const hotColumns = 'state, sequence, created_at, changed_at, document'
const columns = `id, ${hotColumns}`
const hotColumnsWithId = `${hotColumns}, id`

export function createUserStore(database: Database): UserStore {
  defineMatching(database)
  const selectOne = (id: UserId) => {
    const [row] = database.rows(`SELECT ${hotColumns} FROM users WHERE id = ?`, id) as HotRow[]
    return row && userOfHotRow(id, row)
  }
  const selectExisting = (id: UserId) => {
    const user = selectOne(id)
    if (!user) throw new UserNotFound(id)
    return user
  }

  /** How many pass a filter, which is counted after the page was read: `least` of them were seen there. */
  const count = (filter: UserFilter, least: number) => {
    const { sql, parameters } = countOf(filter)
    const [row] = database.rows(sql, ...parameters) as [number][]
    return Math.max(row?.[0] ?? 0, least)
  }

  const putGrants = ({ id, roles }: User) => {
    for (const projectId of Object.keys(roles)) database.run('INSERT INTO grants (project_id, user_id) VALUES (?, ?)', projectId, id)
  }

  const putIdentities = ({ id, identities = [] }: User) => {
    for (const identity of identities) {
      database.run('INSERT INTO identities (identity, app, user_id) VALUES (?, ?, ?)', identityKeyOf(identity), identity.app, id)
    }
  }

  return {
    find: (id) => database.read(() => selectOne(id)),

    findWithMetadata: (id) =>
      database.readTogether(() => {
        const user = selectOne(id)
        return user && { user, metadata: allEntries(database, id) }
      }),

    findWithMetadataText: (id) =>
      database.read(() => {
        const [row] = database.rows(`SELECT ${hotColumns}, metadata_text, metadata_keys FROM users WHERE id = ?`, id) as [
          ...HotRow,
          string | null,
          number,
        ][]
        if (!row) return undefined
        const [, , , , , text, keys] = row
        const user = userOfHotRow(id, row)
        if (text !== null) return { user, metadata: text }
        return keys === 0 ? { user } : { user, metadata: metadataText(allEntries(database, id)) }
      }),

    findByUsername: (username) =>
      database.read(() => {
        const row = database.get<UserRow>(`SELECT ${columns} FROM users WHERE username_key = ?`, comparable(username))
        return row && userOf(row)
      }),

    findByVerifiedEmail: (email) =>
      database.read(() =>
        database.all<UserRow>(`SELECT ${columns} FROM users WHERE email_key = ? ORDER BY id LIMIT 2`, comparable(email)).map(userOf),
      ),

    findByIdentity: (identity) =>
      database.read(() => {
        const sql = `SELECT ${columns} FROM users WHERE id = (SELECT user_id FROM identities WHERE identity = ?)`
        const row = database.get<UserRow>(sql, identityKeyOf(identity))
        return row && userOf(row)
      }),

    listByApp: (app, { after, limit, descending = false }) =>
      database.read(() => {
        const [comparison, direction] = descending ? ['<', 'DESC'] : ['>', 'ASC']
        const ids = `SELECT DISTINCT user_id FROM identities WHERE app = ? AND user_id ${comparison} ? ORDER BY user_id ${direction} LIMIT ?`
        const sql = `SELECT ${columns} FROM users WHERE id IN (${ids}) ORDER BY id ${direction}`
        const rows = database.all<UserRow>(sql, app, after ?? (descending ? '~' : ''), limit + 1)
        const items = rows.slice(0, limit).map(userOf)
        return rows.length > limit ? { items, next: items.at(-1)?.id } : { items }
      }),

    list: ({ after = '', limit }) =>
      database.read(() => {
        const rows = database.all<UserRow>(`SELECT ${columns} FROM users WHERE id > ? ORDER BY id LIMIT ?`, after, limit + 1)
        const items = rows.slice(0, limit).map(userOf)
        return rows.length > limit ? { items, next: items.at(-1)?.id } : { items }
      }),

    search: (search) =>
      database.read(() => {
        // One more than asked for tells whether there is more to count: most lists end on their first page.
        const { sql, parameters } = selectionOf({ ...search, limit: search.limit + 1 }, hotColumnsWithId)
        const rows = database.rows(sql, ...parameters) as [...HotRow, UserId][]
        const users = rows.slice(0, search.limit).map((row) => userOfHotRow(row[5], row))
        const seen = search.offset + rows.length
        const isWhole = rows.length <= search.limit && (rows.length > 0 || search.offset === 0)
        return { users, total: isWhole ? seen : count(search.filter, rows.length > 0 ? seen : 0) }
      }),

    countPlaces: (clue, most) =>
      database.read(() => {
        const { sql, parameters } = countOfPlaces(clue, most)
        return (database.rows(sql, ...parameters) as [number][])[0]?.[0] ?? 0
      }),

    places: (clue, page) => database.readTogether(() => placesOf(database, clue, page)),

    findAll: (ids, conditions) =>
      database.read(() => {
        const { sql, parameters } = conditionsOf(conditions)
        const rows = database.rows(
          `SELECT ${hotColumnsWithId} FROM (SELECT value AS asked_id FROM json_each(?)) CROSS JOIN users ON users.id = asked_id WHERE ${sql}`,
          JSON.stringify(ids),
          ...parameters,
        ) as [...HotRow, UserId][]
        return rows.map((row) => userOfHotRow(row[5], row))
      }),

    countByState: () =>
      database.read(() => {
        const rows = database.rows('SELECT state, users FROM user_counts') as [User['state'], number][]
        return { active: 0, inactive: 0, locked: 0, ...Object.fromEntries(rows) }
      }),

    isEmpty: () => database.read(() => database.get('SELECT 1 FROM users LIMIT 1') === undefined),

    insert: (user, metadata, events) =>
      database.write(() => {
        if (selectOne(user.id)) throw new UserIdTaken(user.id)
        const bytes = metadata.reduce((sum, { value }) => sum + value.byteLength, 0)
        refusing(user, () => {
          database.run(
            `INSERT INTO users (id, username_key, email_key, email_search, state, sequence, created_at, changed_at, metadata_keys,
             metadata_bytes, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
            user.id,
            comparable(user.username),
            emailKey(user),
            emailSearch(user),
            user.state,
            user.sequence,
            user.createdAt.getTime(),
            user.changedAt.getTime(),
            metadata.length,
            bytes,
            documentOf(user),
          )
          putGrants(user)
          putIdentities(user)
          replaceWords(database, user.id, undefined, user)
          for (const entry of metadata) putEntry(database, user.id, entry)
          if (metadata.length > 0) {
            const text = keptText(database, user.id, metadata.length, bytes)
            database.run('UPDATE users SET metadata_text = ? WHERE id = ?', text, user.id)
          }
          writeEvents(database, events)
        })
      }),

    update: (id, decide) =>
      database.write(() => {
        const current = selectExisting(id)
        const change = decide(current)
        if (!change) return current
        const { user, events } = change
        refusing(user, () => {
          database.run(
            `UPDATE users SET username_key = ?, email_key = ?, email_search = ?, state = ?, sequence = ?, created_at = ?, changed_at = ?,
             document = ? WHERE id = ?`,
            comparable(user.username),
            emailKey(user),
            emailSearch(user),
            user.state,
            user.sequence,
            user.createdAt.getTime(),
            user.changedAt.getTime(),
            documentOf(user),
            id,
          )
          if (keysOf(user) !== keysOf(current)) {
            database.run('DELETE FROM identities WHERE user_id = ?', id)
            putIdentities(user)
          }
        })
        if (Object.keys(user.roles).join() !== Object.keys(current.roles).join()) {
          database.run('DELETE FROM grants WHERE user_id = ?', id)
          putGrants(user)
        }
        replaceWords(database, id, current, user)
        writeEvents(database, events)
        return user
      }),

    remove: (id, decide) =>
      database.write(() => {
        const user = selectExisting(id)
        const events = decide(user)
        database.run('DELETE FROM users WHERE id = ?', id)
        replaceWords(database, id, user, undefined)
        writeEvents(database, events)
      }),
  }
}

/** The address under which somebody is found: only one that they have proved to be theirs. */
const emailKey = ({ profile }: User) => (profile.email && profile.emailVerified ? comparable(profile.email) : null)

/** The address under which somebody is looked for, proved or not. */
const emailSearch = ({ profile }: User) => (profile.email ? comparable(profile.email) : null)

const keysOf = ({ identities = [] }: User) => identities.map(identityKeyOf).join('\n')

const documentOf = ({ id, state, sequence, createdAt, changedAt, ...rest }: User) => JSON.stringify(rest)

function userOf(row: UserRow): User {
  return {
    ...(JSON.parse(row.document) as Omit<User, 'id' | 'state' | 'sequence' | 'createdAt' | 'changedAt'>),
    id: row.id as UserId,
    state: row.state,
    sequence: row.sequence,
    createdAt: new Date(row.created_at),
    changedAt: new Date(row.changed_at),
  }
}

/** Runs `write` and names what is taken. The history of a removed user stays, and its id with it: another user would continue it. */
function refusing(user: User, write: () => void): void {
  try {
    write()
  } catch (error) {
    const index = violatedIndex(error)
    if (index === 'identities.identity') throw new IdentityTaken({ cause: error })
    if (index === 'users.username_key') throw new UsernameTaken(user.username, { cause: error })
    if (index === 'events.subject_id, events.sequence') throw new UserIdTaken(user.id, { cause: error })
    throw error
  }
}

const userOfHotRow = (id: UserId, [state, sequence, created_at, changed_at, document]: readonly [...HotRow, ...unknown[]]) =>
  userOf({ id, state, sequence, created_at, changed_at, document })
