/** Places in the indices that users are browsed by, as SQL. Each statement reads one index, from where it is asked to and as far as it is asked to. */
import type { SQLInputValue } from 'node:sqlite'
import type { UserClue, UserCondition, UserPlace } from '#src/domain/users/browse.ts'
import { searchedBytes } from '#src/domain/users/search.ts'
import type { UserId } from '#src/domain/users/user.ts'
import type { Database } from './database.ts'

interface Sql {
  readonly sql: string
  readonly parameters: readonly SQLInputValue[]
}

interface PlacesPage {
  readonly after?: UserPlace | undefined
  readonly limit: number
}

/** As the index has them. */
const head = `substr(value, 1, ${searchedBytes})`
const kindOfUser = "document ->> '$.kind'"

/** No character comes after this one. */
const beyond = (beginning: string) => `${beginning}\u{10ffff}`

/** The rows of a clue's index. */
function rowsOf(clue: UserClue): Sql {
  switch (clue.kind) {
    case 'everybody':
      return { sql: 'users WHERE true', parameters: [] }
    case 'state':
      return { sql: 'users WHERE state = ?', parameters: [clue.state] }
    case 'type':
      return { sql: `users WHERE ${kindOfUser} = ?`, parameters: [clue.type] }
    case 'granted':
      return { sql: 'grants WHERE project_id = ?', parameters: [clue.projectId] }
    case 'metadata':
      if (clue.value === undefined) return { sql: 'metadata WHERE key = ?', parameters: [clue.key] }
      return { sql: `metadata WHERE key = ? AND ${head} = ?`, parameters: [clue.key, clue.value.subarray(0, searchedBytes)] }
    case 'word':
      return { sql: 'user_words WHERE word >= ? AND word < ?', parameters: [clue.beginning, beyond(clue.beginning)] }
  }
}

/** The statement that answers how many rows there are, up to `most`. */
export function countOfPlaces(clue: UserClue, most: number): Sql {
  const { sql, parameters } = rowsOf(clue)
  return { sql: `SELECT count(*) FROM (SELECT 1 FROM ${sql} LIMIT ?)`, parameters: [...parameters, most] }
}

/** The places behind `after`, in at most two statements. */
export function placesOf(database: Database, clue: UserClue, page: PlacesPage): readonly UserPlace[] {
  const places: UserPlace[] = []
  for (const { sql, parameters } of placeStatements(clue, page)) {
    const left = page.limit - places.length
    if (left === 0) break
    const rows = database.rows(sql, ...parameters, left) as [string | number, UserId][]
    places.push(...rows.map(([by, id]) => ({ by, id })))
  }
  return places
}

/** Each answers what the index is ordered by and the id, and takes how many as its last parameter. */
export function placeStatements(clue: UserClue, { after }: PlacesPage): readonly Sql[] {
  const { sql, parameters } = rowsOf(clue)
  switch (clue.kind) {
    case 'everybody':
    case 'state':
    case 'type': {
      const { by, id } = after ?? { by: Number.MAX_SAFE_INTEGER, id: '' }
      const order = 'ORDER BY created_at DESC, id DESC'
      return [
        {
          sql: `SELECT created_at, id FROM ${sql} AND (created_at, id) < (?, ?) ${order} LIMIT ?`,
          parameters: [...parameters, by, id],
        },
      ]
    }
    case 'word': {
      // The later of two beginnings: of two conditions on one column SQLite seeks by one.
      const from = after && String(after.by) >= clue.beginning ? after : { by: clue.beginning, id: '' }
      return [
        {
          sql: 'SELECT word, user_id FROM user_words WHERE (word, user_id) > (?, ?) AND word < ? ORDER BY word, user_id LIMIT ?',
          parameters: [from.by, from.id, beyond(clue.beginning)],
        },
      ]
    }
    case 'metadata':
      return clue.value === undefined ? byValue(clue.key, after) : [byId(sql, parameters, after)]
    case 'granted':
      return [byId(sql, parameters, after)]
  }
}

/** Ids begin with the time, so that the newest come first. */
function byId(sql: string, parameters: readonly SQLInputValue[], after: UserPlace | undefined): Sql {
  const newest = after?.id ?? '~'
  return { sql: `SELECT '', user_id FROM ${sql} AND user_id < ? ORDER BY user_id DESC LIMIT ?`, parameters: [...parameters, newest] }
}

/** Those who have a key stand in the order of its values: the rest of those with the same value, then those with greater ones. */
function byValue(key: string, after: UserPlace | undefined): readonly Sql[] {
  const columns = `SELECT hex(${head}), user_id FROM metadata WHERE key = ?`
  const order = `ORDER BY ${head}, user_id LIMIT ?`
  if (!after) return [{ sql: `${columns} ${order}`, parameters: [key] }]
  const value = Buffer.from(String(after.by), 'hex')
  return [
    { sql: `${columns} AND ${head} = ? AND user_id > ? ORDER BY user_id LIMIT ?`, parameters: [key, value, after.id] },
    { sql: `${columns} AND ${head} > ? ${order}`, parameters: [key, value] },
  ]
}

/** What holds for a row of `users`. Each condition is asked of that user, never of the whole of an index. */
export function conditionsOf(conditions: readonly UserCondition[]): Sql {
  const parts = conditions.map(conditionOf)
  return { sql: ['true', ...parts.map(({ sql }) => sql)].join(' AND '), parameters: parts.flatMap(({ parameters }) => parameters) }
}

function conditionOf(condition: UserCondition): Sql {
  switch (condition.kind) {
    case 'everybody':
      return { sql: 'true', parameters: [] }
    case 'state':
      return { sql: 'state = ?', parameters: [condition.state] }
    case 'type':
      return { sql: `${kindOfUser} = ?`, parameters: [condition.type] }
    case 'granted':
      return { sql: 'EXISTS (SELECT 1 FROM grants WHERE user_id = users.id AND project_id = ?)', parameters: [condition.projectId] }
    case 'metadata': {
      const { key, value } = condition
      const [equal, bytes] = value === undefined ? ['', []] : [' AND value = ?', [value]]
      return { sql: `EXISTS (SELECT 1 FROM metadata WHERE user_id = users.id AND key = ?${equal})`, parameters: [key, ...bytes] }
    }
  }
}
