/** The audit trail is read along an index, whatever the clock says: the stores themselves tell how they would answer. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import type { TrailCondition } from '#src/domain/audit/events.ts'
import { openMongo } from '#src/storage/mongo/open.ts'
import { type EventDocument, newestFirst, placeFilter } from '#src/storage/mongo/trail.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { countOf, countOfPlaces, placesOf } from '#src/storage/sqlite/trail.ts'
import { findMongodb } from '../support/mongodb.ts'
import { tempDir } from '../support/temp.ts'

const period = { from: new Date('2026-03-01'), to: new Date('2026-04-01') }
const types = ['user.signed_in', 'user.logged_in', 'user.sign_in_failed'] as const

/** The MongoDB of these tests uses no index for more than one type. */
const conditions: readonly { name: string; condition?: TrailCondition; sqlite: string; mongo: string }[] = [
  { name: 'everything', sqlite: 'events_by_time', mongo: 'by_time' },
  { name: 'a type', condition: { kind: 'types', types: ['user.signed_in'] }, sqlite: 'events_by_type (type=?', mongo: 'by_type' },
  {
    name: 'an actor',
    condition: { kind: 'actor', actor: { kind: 'user', id: 'admin' } },
    sqlite: 'events_by_actor (<expr>=?',
    mongo: 'by_actor',
  },
  {
    name: 'actors of a kind',
    condition: { kind: 'actor', actor: { kind: 'cli' } },
    sqlite: 'events_by_actor (<expr>=?',
    mongo: 'by_actor',
  },
  {
    name: 'a subject',
    condition: { kind: 'subject', subject: { kind: 'user', id: 'jane' } },
    sqlite: 'events_by_subject_and_time (subject_kind=? AND subject_id=?',
    mongo: 'by_subject',
  },
]

describe('SQLite', async () => {
  const directory = tempDir()
  await (await openSqlite(directory)).close()
  const database = new DatabaseSync(join(directory, 'dossier.db'))
  const planOf = (sql: string, parameters: readonly (string | number | null | bigint | NodeJS.ArrayBufferView)[] = []) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...parameters)
      .map(({ detail }) => String(detail))
      .join('\n')

  test.each(conditions)('$name', ({ condition, sqlite }) => {
    for (const within of [{}, period]) {
      for (const after of [undefined, { at: 1, id: 1 }]) {
        const { sql, parameters } = placesOf(condition, within, { after, limit: 3 })
        const plan = planOf(sql, parameters)
        expect(plan).toContain(`COVERING INDEX ${sqlite}`)
        expect(plan).not.toContain('TEMP B-TREE')
        if (after) expect(plan).toContain('at<?')
      }
    }
    if (!condition) return
    const { sql, parameters } = countOfPlaces(condition, period, 3)
    expect(planOf(sql, parameters)).toContain(`COVERING INDEX ${sqlite}`)
  })

  test('several types are merged, not sorted, and counted from the index', () => {
    const { sql, parameters } = placesOf({ kind: 'types', types }, period, { after: { at: 1, id: 1 }, limit: 3 })
    const plan = planOf(sql, parameters)
    expect(plan).toContain('MERGE (UNION ALL)')
    expect(plan).not.toContain('TEMP B-TREE')
    expect(plan.match(/COVERING INDEX events_by_type \(type=\? AND at>\? AND at<\?\)/g)).toHaveLength(types.length)
    const count = countOf({ types, ...period })
    expect(planOf(count.sql, count.parameters)).toContain('COVERING INDEX events_by_type (type=? AND at>? AND at<?)')
  })

  test('those who follow all events go by their numbers', () => {
    const plan = planOf(`SELECT id FROM events WHERE number > 1 AND +type IN (SELECT value FROM json_each('[]')) ORDER BY number LIMIT 3`)
    expect(plan).toContain('INTEGER PRIMARY KEY (rowid>?)')
    expect(plan).not.toContain('TEMP B-TREE')
  })
})

const mongodb = await findMongodb()

describe.skipIf(!mongodb)('MongoDB', async () => {
  const address = mongodb?.newDatabase() ?? 'mongodb://127.0.0.1/skipped'
  if (mongodb) await (await openMongo(address)).close()
  const client = new MongoClient(address)

  test.each(conditions.filter(({ condition }) => condition))('$name', async ({ condition, mongo }) => {
    const events = client.db().collection<EventDocument>('events')
    const plan = await events.find(placeFilter(condition, {})).sort(newestFirst).limit(3).explain('queryPlanner')
    expect(JSON.stringify(plan.queryPlanner.winningPlan)).toContain(`"${mongo}"`)
  })

  test('ends', () => client.close())
})
