/** Searches for users go through an index, whatever the clock says: the stores themselves tell how they would answer. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { everybody, type UserFilter, type UserSearch } from '#src/domain/users/search.ts'
import { openMongo } from '#src/storage/mongo/open.ts'
import { usersOf } from '#src/storage/mongo/userDocument.ts'
import { filterOf, sortOf } from '#src/storage/mongo/userSearch.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { countOf, selectionOf } from '#src/storage/sqlite/userSearch.ts'
import { findMongodb } from '../support/mongodb.ts'
import { tempDir } from '../support/temp.ts'

const key = { text: 'plan', method: 'equals' } as const
const value = { bytes: Buffer.from('gold'), equal: true }

/** What is looked for, with the index that serves it on each store; the MongoDB of these tests does not use one for a range. */
const searches: readonly { name: string; filter: UserFilter; sqlite: string; mongo?: string }[] = [
  {
    name: 'username',
    filter: { kind: 'text', field: 'username', method: 'equalsIgnoreCase', text: 'jane' },
    sqlite: 'sqlite_autoindex_users_2 (username_key=?)',
    mongo: 'by_username',
  },
  {
    name: 'beginning of a username',
    filter: { kind: 'text', field: 'username', method: 'startsWith', text: 'ja' },
    sqlite: 'sqlite_autoindex_users_2 (username_key>? AND username_key<?)',
  },
  {
    name: 'e-mail address',
    filter: { kind: 'text', field: 'email', method: 'equalsIgnoreCase', text: 'jane@acme.example' },
    sqlite: 'users_by_email (email_search=?)',
    mongo: 'by_email',
  },
  { name: 'state', filter: { kind: 'state', state: 'locked' }, sqlite: 'users_by_state (state=?)', mongo: 'by_state' },
  { name: 'time of creation', filter: everybody, sqlite: 'users_by_creation', mongo: 'by_creation' },
  { name: 'metadata key', filter: { kind: 'metadata', key }, sqlite: 'metadata_by_key (key=?)', mongo: 'by_metadata_key' },
  {
    name: 'beginning of a metadata key',
    filter: { kind: 'metadata', key: { text: 'pl', method: 'startsWith' } },
    sqlite: 'metadata_by_key (key>? AND key<?)',
  },
  {
    name: 'metadata key with its value',
    filter: { kind: 'metadata', key, value },
    sqlite: 'metadata_by_key (key=? AND <expr>=?)',
    mongo: 'by_metadata',
  },
  {
    name: 'project',
    filter: { kind: 'granted', projectId: 'portal' },
    sqlite: 'grants USING PRIMARY KEY (project_id=?)',
    mongo: 'by_project',
  },
]

const page = (filter: UserFilter): UserSearch => ({ filter, sort: 'createdAt', ascending: false, offset: 0, limit: 100 })

describe('SQLite', async () => {
  const directory = tempDir()
  await (await openSqlite(directory)).close()
  const database = new DatabaseSync(join(directory, 'dossier.db'))
  database.function('matches_text', { deterministic: true, varargs: true }, () => 1)

  const planOf = ({ sql, parameters }: ReturnType<typeof countOf>) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...parameters)
      .map(({ detail }) => String(detail))

  test.each(searches)('$name', ({ filter, sqlite }) => {
    for (const statement of [selectionOf(page(filter), 'id'), countOf(filter)]) {
      const plan = planOf(statement)
      if (filter !== everybody || statement.sql.includes('ORDER BY')) expect(plan.join('\n')).toContain(sqlite)
      expect(plan.filter((step) => /^SCAN (?:metadata|grants)/.test(step))).toEqual([])
    }
  })
})

const mongodb = await findMongodb()

describe.skipIf(!mongodb)('MongoDB', async () => {
  const address = mongodb?.newDatabase() ?? 'mongodb://127.0.0.1/skipped'
  if (mongodb) await (await openMongo(address)).close()
  const client = new MongoClient(address)

  test.each(searches.filter(({ mongo }) => mongo !== undefined))('$name', async ({ filter, mongo }) => {
    const plan = await usersOf(client.db())
      .find(filterOf(filter))
      .sort(sortOf(page(filter)))
      .explain('queryPlanner')
    expect(JSON.stringify(plan.queryPlanner.winningPlan)).toContain(`"${mongo}"`)
  })

  test('ends', () => client.close())
})
