import { MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { inspectMongo } from '#src/storage/mongo/inspect.ts'
import { openMongo } from '#src/storage/mongo/open.ts'
import { findMongodb, withDatabase } from '../support/mongodb.ts'
import { findMongodbProgram } from '../support/mongodbPrograms.ts'
import { startMongodb } from '../support/mongodbServer.ts'

const mongodb = await findMongodb()
const program = mongodb && (await findMongodbProgram().catch(() => undefined))

const inspect = (url: string) => inspectMongo(url, new Date())

async function collectionsIn(url: string): Promise<readonly string[]> {
  await using client = await new MongoClient(url).connect()
  return (await client.db().listCollections().toArray()).map(({ name }) => name)
}

describe.skipIf(!mongodb)('a check of the configuration', () => {
  const newDatabase = () => mongodb?.newDatabase() ?? ''

  test('says that there is no store yet, and makes none', async () => {
    const url = newDatabase()
    expect(await inspect(url)).toEqual([
      { name: 'store', status: 'ok', detail: expect.stringMatching(/^MongoDB (replica set \S+|sharded cluster) at \S+$/) },
      { name: 'migrations', status: 'ok', detail: expect.stringMatching(/there is no store in the database \S+ yet; the first start/) },
      { name: 'clock', status: 'ok', detail: expect.stringMatching(/here, and at the database too$/) },
    ])
    expect(await collectionsIn(url)).toEqual([])
  })

  test('says that a store is current', async () => {
    const url = newDatabase()
    await (await openMongo(url)).close()
    expect((await inspect(url))[1]).toEqual({
      name: 'migrations',
      status: 'ok',
      detail: expect.stringMatching(/schema 3, which is current$/),
    })
  })

  test('refuses what a newer version has written', async () => {
    const url = newDatabase()
    await using client = await new MongoClient(url).connect()
    await client.db().collection<{ _id: string; version: number }>('schema').insertOne({ _id: 'schema', version: 999 })
    expect((await inspect(url))[1]).toMatchObject({ name: 'migrations', status: 'failed', detail: expect.stringMatching(/schema 999/) })
    expect(await collectionsIn(url)).toEqual(['schema'])
  })

  test('says how far the clocks are apart', async () => {
    const [, , early] = await inspectMongo(newDatabase(), new Date(Date.now() - 60_000))
    expect(early).toMatchObject({
      name: 'clock',
      status: 'failed',
      detail: expect.stringMatching(/and \d\d seconds later at the database/),
    })
    const [, , late] = await inspectMongo(newDatabase(), new Date(Date.now() + 60_000))
    expect(late).toMatchObject({
      name: 'clock',
      status: 'failed',
      detail: expect.stringMatching(/and \d\d seconds earlier at the database/),
    })
  })
})

test('a check of an address that cannot be used says why, without the credentials in it', async () => {
  const reasons = {
    '127.0.0.1:1/dossier?serverSelectionTimeoutMS=10': /^MongoDB at 127\.0\.0\.1:1 cannot be used because no server/,
    '127.0.0.1:99999/dossier': /cannot be used/,
    '127.0.0.1': /no database name/,
  }
  for (const [rest, reason] of Object.entries(reasons)) {
    const findings = await inspect(`mongodb://operator:opensesame@${rest}`)
    expect(findings).toEqual([{ name: 'store', status: 'failed', detail: expect.stringMatching(reason) }])
    expect(JSON.stringify(findings)).not.toMatch(/operator|opensesame/)
  }
})

test.skipIf(!program)('a check of a standalone server says what to do', async () => {
  await using server = await startMongodb({ standalone: true })
  expect(await inspect(withDatabase(server.url, 'dossier'))).toEqual([
    { name: 'store', status: 'failed', detail: expect.stringMatching(/start it with --replSet rs0 and run rs\.initiate\(\)/) },
  ])
})
