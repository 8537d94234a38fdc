/** Searches for users and lists of them go through an index, whatever the clock says: the stores themselves tell how they would answer. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import type { UserClue, UserPlace } from '#src/domain/users/browse.ts'
import { everybody, type UserFilter, type UserSearch } from '#src/domain/users/search.ts'
import { openMongo } from '#src/storage/mongo/open.ts'
import { placeQuery } from '#src/storage/mongo/userBrowse.ts'
import { usersOf } from '#src/storage/mongo/userDocument.ts'
import { filterOf, sortOf } from '#src/storage/mongo/userSearch.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { conditionsOf, countOfPlaces, placeStatements } from '#src/storage/sqlite/userBrowse.ts'
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
  { name: 'metadata key', filter: { kind: 'metadata', key }, sqlite: 'metadata_by_key (key=?)', mongo: 'by_metadata_key_and_id' },
  {
    name: 'beginning of a metadata key',
    filter: { kind: 'metadata', key: { text: 'pl', method: 'startsWith' } },
    sqlite: 'metadata_by_key (key>? AND key<?)',
  },
  {
    name: 'metadata key with its value',
    filter: { kind: 'metadata', key, value },
    sqlite: 'metadata_by_key (key=? AND <expr>=?)',
    mongo: 'by_metadata_and_id',
  },
  {
    name: 'project',
    filter: { kind: 'granted', projectId: 'portal' },
    sqlite: 'grants USING PRIMARY KEY (project_id=?)',
    mongo: 'by_project_and_id',
  },
]

/** What users are browsed by, each with a place to go on from and the index whose order is followed. */
const clues: readonly { name: string; clue: UserClue; by?: UserPlace['by']; sqlite: readonly string[]; mongo?: string }[] = [
  { name: 'everybody', clue: { kind: 'everybody' }, by: 1, sqlite: ['users_by_creation ((created_at,id)<(?,?))'], mongo: 'by_creation' },
  {
    name: 'a state',
    clue: { kind: 'state', state: 'locked' },
    by: 1,
    sqlite: ['users_by_state (state=? AND (created_at,id)<(?,?))'],
    mongo: 'by_state',
  },
  {
    name: 'a kind',
    clue: { kind: 'type', type: 'machine' },
    by: 1,
    sqlite: ['users_by_kind (<expr>=? AND (created_at,id)<(?,?))'],
    mongo: 'by_kind',
  },
  {
    name: 'the beginning of a word',
    clue: { kind: 'word', beginning: 'ja' },
    by: 'jane',
    sqlite: ['user_words USING PRIMARY KEY ((word,user_id)>(?,?) AND word<?)'],
  },
  {
    name: 'a metadata key',
    clue: { kind: 'metadata', key: 'plan' },
    by: '00',
    sqlite: ['metadata_by_key (key=? AND <expr>=? AND user_id>?)', 'metadata_by_key (key=? AND <expr>>?)'],
    mongo: 'by_metadata_key_and_id',
  },
  {
    name: 'a metadata key with its value',
    clue: { kind: 'metadata', key: 'plan', value: value.bytes },
    sqlite: ['metadata_by_key (key=? AND <expr>=? AND user_id<?)'],
    mongo: 'by_metadata_and_id',
  },
  {
    name: 'a project',
    clue: { kind: 'granted', projectId: 'portal' },
    sqlite: ['grants USING PRIMARY KEY (project_id=? AND user_id<?)'],
    mongo: 'by_project_and_id',
  },
]
const placeOf = (by: UserPlace['by'] = ''): UserPlace => ({ by, id: '65f0c0ffee65f0c0ffee65f0' as UserPlace['id'] })

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

  describe('a list', () => {
    test.each(clues)('of $name is followed along one index, and not sorted', ({ clue, by, sqlite }) => {
      const first = placeStatements(clue, { limit: 3 }).map(withLimit)
      const next = placeStatements(clue, { after: placeOf(by), limit: 3 }).map(withLimit)
      const plans = [...first, ...next, countOfPlaces(clue, 3)].map(planOf)
      for (const plan of plans) {
        expect(plan.filter((step) => /TEMP B-TREE|^SCAN (?:metadata|grants|user_words)/.test(step))).toEqual([])
        expect(plan.join('\n')).toContain('COVERING INDEX'.repeat(clue.kind === 'word' || clue.kind === 'granted' ? 0 : 1))
      }
      expect(plans.slice(first.length, -1).map((plan) => plan.join('\n'))).toEqual(sqlite.map((index) => expect.stringContaining(index)))
    })

    test('asks its conditions of each user, never of all', () => {
      const { sql, parameters } = conditionsOf(clues.flatMap(({ clue }) => (clue.kind === 'word' ? [] : [clue])))
      const plan = planOf({
        sql: `SELECT 1 FROM json_each('[]') AS asked CROSS JOIN users ON users.id = asked.atom WHERE ${sql}`,
        parameters,
      })
      expect(plan.filter((step) => step.startsWith('SCAN'))).toEqual([expect.stringContaining('asked')])
      expect(plan.join('\n')).toContain('(user_id=? AND key=?)')
      expect(plan.join('\n')).not.toMatch(/MATERIALIZE|LIST SUBQUERY|metadata_by_key/)
    })
  })
})

/** The statement with how many places it is to answer. */
const withLimit = ({ sql, parameters }: ReturnType<typeof countOf>) => ({ sql, parameters: [...parameters, 3] })

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

  test.each(clues.filter(({ mongo }) => mongo !== undefined))('a list of $name', async ({ clue, by, mongo }) => {
    if (clue.kind === 'word') return expect.unreachable()
    // A time to go on from is a range.
    for (const after of typeof by === 'number' ? [undefined] : [undefined, placeOf(by)]) {
      const plan = await placeQuery(usersOf(client.db()), clue, after).limit(3).explain('queryPlanner')
      expect(JSON.stringify(plan.queryPlanner.winningPlan)).toContain(`"${mongo}"`)
    }
  })

  test('ends', () => client.close())
})
