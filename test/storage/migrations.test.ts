/** What an older version wrote is brought up to date at the start. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { createSealer } from '#src/domain/keys/seal.ts'
import type { Stores } from '#src/domain/stores.ts'
import { createUserBrowsing } from '#src/domain/users/browse.ts'
import { openMongo } from '#src/storage/mongo/open.ts'
import { dossierSteps } from '#src/storage/sqlite/migrations/dossier.ts'
import { applicationId } from '#src/storage/sqlite/migrations/migrate.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { upTo, user } from '../contract/contract.ts'
import { findMongodb } from '../support/mongodb.ts'
import { tempDir } from '../support/temp.ts'

const people = upTo(30).map((number) =>
  user(`person-${number}`, {
    profile: { givenName: 'Änne', email: `p.${number}@acme.example` },
    state: number % 3 === 0 ? 'locked' : 'active',
    kind: number % 2 === 0 ? 'machine' : 'human',
  }),
)

/** Who is found in an upgraded store, and what it still does. */
async function expectBrowsable(stores: Stores): Promise<void> {
  const browsing = createUserBrowsing({ store: stores.users, sealer: createSealer(['a secret that is long enough for a test']) })
  const numberOf = async (text: string) => (await browsing.browse({ text }, { limit: 100 })).items.length
  expect([await numberOf('änne'), await numberOf('p.2'), await numberOf('acme person-7'), await numberOf('nobody')]).toEqual([30, 11, 1, 0])
  expect((await browsing.browse({ kind: 'machine', state: 'locked' }, { limit: 100 })).items).toHaveLength(5)
  expect(await browsing.count()).toEqual({ all: 30, byState: { active: 20, inactive: 0, locked: 10 } })
  const [first] = people
  if (!first) return expect.unreachable()
  await stores.users.update(first.id, (current) => ({ user: { ...current, profile: {} }, events: [] }))
  expect([await numberOf('änne'), await numberOf('person-1')]).toEqual([29, 11])
}

test('SQLite: users of a version without lists are found in them', async () => {
  const directory = tempDir()
  const file = new DatabaseSync(join(directory, 'dossier.db'))
  for (const step of dossierSteps.slice(0, 3)) file.exec(step)
  file.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = 3`)
  const insert = file.prepare(
    `INSERT INTO users (id, username_key, state, sequence, created_at, changed_at, metadata_keys, metadata_bytes, document)
     VALUES (?, ?, ?, 1, 0, 0, 0, 0, ?)`,
  )
  for (const { id, state, ...rest } of people) insert.run(id, rest.username, state, JSON.stringify(rest))
  file.close()
  const stores = await openSqlite(directory)
  await expectBrowsable(stores)
  await stores.close()
})

const mongodb = await findMongodb()

describe.skipIf(!mongodb)('MongoDB', () => {
  test('users of a version without lists are found in them, and a step that was interrupted is made again', async () => {
    const url = mongodb?.newDatabase() ?? ''
    const before = await openMongo(url)
    for (const each of people) await before.users.insert(each, [], [])
    await before.close()
    const client = new MongoClient(url)
    const words = client.db().collection<{ _id: string }>('user_words')
    await words.deleteMany({ _id: { $regex: /^[^a]/ } })
    await client.db().collection('users').createIndex({ 'metadata.names': 1 }, { name: 'by_metadata_key' })
    await client
      .db()
      .collection<{ _id: string; version: number }>('schema')
      .updateOne({ _id: 'schema' }, { $set: { version: 2 } })
    const stores = await openMongo(url)
    await expectBrowsable(stores)
    await stores.close()
    expect((await client.db().collection('users').indexes()).map(({ name }) => name)).not.toContain('by_metadata_key')
    await client.close()
  })
})
