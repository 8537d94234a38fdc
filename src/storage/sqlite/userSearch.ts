/** Searches for users as SQL. The order of the parts of a condition is nothing: SQLite chooses the index. */

import type { SQLInputValue } from 'node:sqlite'
import type { TextMethod } from '#src/base/text.ts'
import {
  matchesText,
  regardsCase,
  searchedBytes,
  type TextField,
  type UserFilter,
  type UserSearch,
  type UserSort,
} from '#src/domain/users/search.ts'
import { comparable } from '#src/domain/users/user.ts'
import type { Database } from './database.ts'

interface Sql {
  readonly sql: string
  readonly parameters: readonly SQLInputValue[]
}

const inDocument = (path: string) => `(document ->> '$.${path}')`

const fields: Readonly<Record<TextField, string>> = {
  username: inDocument('username'),
  email: inDocument('profile.email'),
  phone: inDocument('profile.phone'),
  givenName: inDocument('profile.givenName'),
  familyName: inDocument('profile.familyName'),
  nickName: inDocument('profile.nickName'),
  displayName: inDocument('profile.displayName'),
}

/** Columns with the comparable form of a field, under an index. */
const keys: Partial<Readonly<Record<TextField, string>>> = { username: 'username_key', email: 'email_search' }

const sorts: Readonly<Record<UserSort, string>> = {
  createdAt: 'created_at',
  username: 'username_key',
  email: 'email_search',
  phone: fields.phone,
  givenName: `lower(${fields.givenName})`,
  familyName: `lower(${fields.familyName})`,
  nickName: `lower(${fields.nickName})`,
  displayName: `lower(${fields.displayName})`,
  state: 'state',
  type: inDocument('kind'),
}

/** Teaches a connection to match text as the domain does. */
export const defineMatching = (database: Database) =>
  database.define(
    'matches_text',
    (value, text, method) => typeof value === 'string' && matchesText(value, text as string, method as TextMethod),
  )

/** The statement that answers `columns` of those who are found. */
export function selectionOf({ filter, sort, ascending, offset, limit }: UserSearch, columns: string): Sql {
  const { sql, parameters } = conditionOf(filter)
  const direction = ascending ? 'ASC' : 'DESC'
  return {
    sql: `SELECT ${columns} FROM users WHERE ${sql} ORDER BY ${sorts[sort]} ${direction}, id ${direction} LIMIT ? OFFSET ?`,
    parameters: [...parameters, limit, offset],
  }
}

/** The statement that answers how many there are, as `total`. */
export function countOf(filter: UserFilter): Sql {
  const { sql, parameters } = conditionOf(filter)
  return { sql: `SELECT count(*) AS total FROM users WHERE ${sql}`, parameters }
}

/** True or false for every user: never NULL, so that it can be turned round. */
function conditionOf(filter: UserFilter): Sql {
  switch (filter.kind) {
    case 'text':
      return textOf(filter.field, filter.text, filter.method)
    case 'state':
      return { sql: 'state = ?', parameters: [filter.state] }
    case 'type':
      return { sql: `${inDocument('kind')} = ?`, parameters: [filter.type] }
    case 'ids':
      return anyOf('id', filter.ids)
    case 'emails':
      return joined('AND', [{ sql: 'email_search IS NOT NULL', parameters: [] }, anyOf('email_search', filter.emails.map(comparable))])
    case 'metadata': {
      const { sql, parameters } = entryOf(filter)
      return { sql: `id IN (SELECT user_id FROM metadata WHERE ${sql})`, parameters }
    }
    case 'granted':
      return { sql: 'id IN (SELECT user_id FROM grants WHERE project_id = ?)', parameters: [filter.projectId] }
    case 'and':
      return joined('AND', filter.filters.map(conditionOf))
    case 'or':
      return joined('OR', filter.filters.map(conditionOf))
    case 'not': {
      const { sql, parameters } = conditionOf(filter.filter)
      return { sql: `NOT ${sql}`, parameters }
    }
  }
}

function joined(word: 'AND' | 'OR', parts: readonly Sql[]): Sql {
  if (parts.length === 0) return { sql: word === 'AND' ? '1' : '0', parameters: [] }
  return { sql: `(${parts.map(({ sql }) => sql).join(` ${word} `)})`, parameters: parts.flatMap(({ parameters }) => parameters) }
}

function anyOf(column: string, values: readonly string[]): Sql {
  // One parameter however many there are: a statement is prepared once.
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, parameters: [JSON.stringify(values)] }
}

function textOf(field: TextField, text: string, method: TextMethod): Sql {
  const exact = { sql: `matches_text(${fields[field]}, ?, ?)`, parameters: [text, method] }
  const key = keys[field]
  if (key === undefined) return exact
  const narrowed = narrowing(key, comparable(text), method)
  if (!narrowed) return exact
  const present = { sql: `${key} IS NOT NULL`, parameters: [] }
  return joined('AND', [present, narrowed, ...(regardsCase(method) ? [exact] : [])])
}

/** What an index over `column` can answer of a match; what it finds may be too much where case matters. */
function narrowing(column: string, text: string, method: TextMethod): Sql | undefined {
  if (method.startsWith('equals')) return { sql: `${column} = ?`, parameters: [text] }
  if (method.startsWith('startsWith')) return { sql: `(${column} >= ? AND ${column} < ?)`, parameters: [text, `${text}\u{10ffff}`] }
  return undefined
}

const head = `substr(value, 1, ${searchedBytes})`

function entryOf({ key, value }: UserFilter & { readonly kind: 'metadata' }): Sql {
  return joined('AND', [
    ...(key ? [keyOf(key.text, key.method)] : []),
    ...(value ? [{ sql: `${head} ${value.equal ? '=' : '<>'} ?`, parameters: [value.bytes] }] : []),
  ])
}

function keyOf(text: string, method: TextMethod): Sql {
  if (method === 'equals') return { sql: 'key = ?', parameters: [text] }
  const exact = { sql: 'matches_text(key, ?, ?)', parameters: [text, method] }
  return method === 'startsWith' ? joined('AND', [narrowing('key', text, method) as Sql, exact]) : exact
}
