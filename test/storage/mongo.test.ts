import { MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { CannotStart, StoreUnavailable } from '#src/base/errors.ts'
import { createMetadata } from '#src/domain/metadata/metadata.ts'
import type { Stores } from '#src/domain/stores.ts'
import { openMongo } from '#src/storage/mongo/open.ts'
import { atOnce, bytes, entry, event, eventually, recorder, system, upTo, user } from '../contract/contract.ts'
import { findMongodb, withDatabase } from '../support/mongodb.ts'
import { findMongodbProgram } from '../support/mongodbPrograms.ts'
import { type MongodbServer, startMongodb } from '../support/mongodbServer.ts'

const mongodb = await findMongodb()
const program = mongodb && (await findMongodbProgram().catch(() => undefined))

const newDatabase = () => mongodb?.newDatabase() ?? ''

async function open(url = newDatabase()): Promise<Stores & AsyncDisposable> {
  const stores = await openMongo(url)
  return { ...stores, [Symbol.asyncDispose]: () => stores.close() }
}

/** A connection to the database at `url` that knows nothing of Dossier. */
async function stranger(url: string) {
  const client = await new MongoClient(url).connect()
  return { database: client.db(), [Symbol.asyncDispose]: () => client.close() }
}

/** Fails when `promise` is not settled within the five seconds that a request may take. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  const late = new Error('no answer within five seconds')
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), 5000)
  })
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}

describe('an address that cannot be used', () => {
  test('has no database name', async () => {
    for (const url of ['mongodb://127.0.0.1:27017', 'mongodb://127.0.0.1:27017/', 'mongodb://127.0.0.1/?replicaSet=rs0', 'http://a/b']) {
      await expect(openMongo(url)).rejects.toThrow(CannotStart)
      await expect(openMongo(url)).rejects.toThrow(/no database name: write mongodb:\/\/HOST/)
    }
  })

  test('is told without the credentials in it', async () => {
    for (const rest of ['127.0.0.1:99999/dossier', '127.0.0.1/dossier?colour=red', '127.0.0.1:1/dossier?serverSelectionTimeoutMS=10']) {
      const refusal = await openMongo(`mongodb://operator:se%zzcret@${rest}`).catch((error: Error) => error)
      expect(refusal).toBeInstanceOf(CannotStart)
      expect(String(refusal)).not.toMatch(/operator|se%zzcret|secret/)
    }
    await expect(openMongo('mongodb://127.0.0.1/dossier?colour=red')).rejects.toThrow(/colour is not supported/)
  })

  test('is one where nobody answers', async () => {
    const refusal = await soon(openMongo('mongodb://operator:opensesame@127.0.0.1:1/dossier').catch((error: Error) => error))
    expect(refusal).toBeInstanceOf(CannotStart)
    expect(String(refusal)).toMatch(
      /MongoDB at 127\.0\.0\.1:1 cannot be used because no server that could write answers: start it, .*DOSSIER_STORE/,
    )
    expect(String(refusal)).not.toMatch(/operator|opensesame/)
  })
})

describe.skipIf(!mongodb)('starting', () => {
  test('the database and the hosts are told', async () => {
    const url = newDatabase()
    await using stores = await open(url)
    const { hosts, name } = /^mongodb:\/\/(?:.*@)?(?<hosts>[^/]+)\/(?<name>[^?]+)/.exec(url)?.groups ?? {}
    expect(stores.description).toBe(`MongoDB database ${name} at ${hosts}`)
  })

  test('a store of a newer version is refused, and nothing is changed', async () => {
    const url = newDatabase()
    await using database = await stranger(url)
    await database.database.collection<{ _id: string; version: number }>('schema').insertOne({ _id: 'schema', version: 999 })
    await expect(openMongo(url)).rejects.toThrow(CannotStart)
    await expect(openMongo(url)).rejects.toThrow(/newer version of Dossier \(schema 999.*start that version or a later one/)
    expect((await database.database.listCollections().toArray()).map(({ name }) => name)).toEqual(['schema'])
    expect(await database.database.collection('schema').find().toArray()).toEqual([{ _id: 'schema', version: 999 }])
  })

  test('a second start changes nothing', async () => {
    const url = newDatabase()
    await using database = await stranger(url)
    const shape = async () => {
      const names = (await database.database.listCollections().toArray()).map(({ name }) => name).sort()
      return Promise.all(names.map(async (name) => [name, await database.database.collection(name).indexes()]))
    }
    await (await open(url)).close()
    const before = await shape()
    expect(before.length).toBeGreaterThan(10)
    await (await open(url)).close()
    expect(await shape()).toEqual(before)
  })
})

describe.skipIf(!mongodb)('what a document holds', () => {
  test('a user is one document with metadata inside, and the names of fields are harmless', async () => {
    const url = newDatabase()
    await using stores = await open(url)
    await using database = await stranger(url)
    const jane = user('Jane', { roles: { 'a.$b': ['reader'] }, profile: { email: 'Jane@Acme.example', emailVerified: true } })
    await stores.users.insert(jane, [entry('a.b', bytes('v')), entry('$set', bytes('w'))], [])
    await createMetadata({ store: stores.metadata, recorder }).set(jane.id, [{ key: '__proto__', value: bytes('x') }], system)
    const [document, ...others] = await database.database.collection('users').find().toArray()
    expect(others).toEqual([])
    expect(document).toMatchObject({ _id: jane.id, usernameKey: 'jane', emailKey: 'jane@acme.example', metadata: { keys: 3, bytes: 3 } })
    expect(Object.keys(document?.metadata.entries).sort()).toEqual(['JHNldA', 'X19wcm90b19f', 'YS5i'])
  })

  test('an address that is no longer proved leaves the index', async () => {
    const url = newDatabase()
    await using stores = await open(url)
    await using database = await stranger(url)
    const jane = user('jane', { profile: { email: 'jane@acme.example', emailVerified: true } })
    await stores.users.insert(jane, [], [])
    await stores.users.update(jane.id, (current) => ({ user: { ...current, profile: { email: 'jane@acme.example' } }, events: [] }))
    expect(await database.database.collection('users').countDocuments({ emailKey: { $exists: true } })).toBe(0)
  })

  test('what expires has a time at which the server deletes it, and what does not has none', async () => {
    const url = newDatabase()
    await using stores = await open(url)
    await using database = await stranger(url)
    await stores.artifacts.put({ model: 'Session', id: 's', payload: {}, expiresAt: new Date('2100-01-01T00:00:00Z') })
    await stores.artifacts.put({ model: 'Session', id: 'eternal', payload: {} })
    const documents = await database.database.collection('artifacts').find().sort({ _id: 1 }).toArray()
    expect(documents.map(({ expiresAt }) => expiresAt)).toEqual([undefined, new Date('2100-01-01T00:00:00Z')])
    const expiries = async (name: string) =>
      (await database.database.collection(name).indexes()).flatMap(({ expireAfterSeconds }) => expireAfterSeconds ?? [])
    expect([await expiries('artifacts'), await expiries('attempts')]).toEqual([[60], [0]])
  })
})

test.skipIf(!mongodb)('forty commits of another process are seen one by one, by a stream and not by asking', async () => {
  const url = newDatabase()
  await using one = await open(url)
  await using other = await open(url)
  const asking = performance.now()
  for (const number of upTo(40)) {
    await one.catalogue.commit({ events: [] })
    expect(await eventually(other.catalogue.revision, (revision) => revision === number)).toBe(number)
  }
  expect(performance.now() - asking).toBeLessThan(20_000)
})

const reason = program ? '' : ' (skipped: needs mongod or python3 on the PATH, to start a server that the test may kill)'

describe.skipIf(!program)(`a server of its own${reason}`, () => {
  test('a standalone server is refused with what to do', async () => {
    await using server = await startMongodb({ standalone: true })
    const refusal = openMongo(withDatabase(server.url, 'dossier'))
    await expect(refusal).rejects.toThrow(CannotStart)
    await expect(refusal).rejects.toThrow(/standalone one, which has no transactions: start it with --replSet rs0 and run rs\.initiate\(\)/)
  })

  const jane = user('jane', { sequence: 0 })
  const rename = (stores: Stores) => stores.users.update(jane.id, (current) => ({ user: { ...current, username: 'janet' }, events: [] }))

  /** Everything that a request may ask of the store while it is away. */
  const everything = (stores: Stores): readonly Promise<unknown>[] => [
    stores.ping(),
    stores.users.find(jane.id),
    stores.users.insert(user('john'), [], []),
    rename(stores),
    stores.metadata.change(jane.id, ['k'], () => undefined),
    stores.artifacts.findToken('AccessToken', 'a'),
    stores.artifacts.put({ model: 'Session', id: 's', payload: {} }),
    stores.artifacts.putSession({ model: 'Session', id: 's', payload: {} }),
    stores.artifacts.consume('AuthorizationCode', 'c', new Date()),
    stores.attempts.count(['a', 'b'], new Date(), 60),
    stores.audit.record([event(jane.id)]),
    stores.catalogue.commit({ events: [] }),
  ]

  async function expectUnavailable(stores: Stores): Promise<void> {
    for (const outcome of await Promise.allSettled(everything(stores).map(soon))) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) })
    }
  }

  async function withServer(work: (server: MongodbServer, stores: Stores, url: string) => Promise<void>): Promise<void> {
    await using server = await startMongodb()
    const url = withDatabase(server.url, 'dossier')
    const stores = await open(url)
    try {
      await stores.users.insert(jane, [], [])
      await work(server, stores, url)
    } finally {
      await server.kill()
      await stores.close()
    }
  }

  /** Works, perhaps not at the first try: the client has to find the server again. */
  const works = (stores: Stores) =>
    eventually(
      () =>
        stores.ping().then(
          () => true,
          () => false,
        ),
      Boolean,
    )

  test('a server that is away is told within five seconds, and all goes on when it is back', () =>
    withServer(async (server, stores, url) => {
      await server.kill()
      await expectUnavailable(stores)
      await expect(openMongo(url)).rejects.toThrow(CannotStart)
      await server.restart()
      expect(await works(stores)).toBe(true)
      expect(await stores.users.find(jane.id)).toEqual(jane)
      expect(await rename(stores)).toMatchObject({ username: 'janet' })
      await using other = await open(url)
      await other.catalogue.commit({ events: [] })
      const revision = other.catalogue.revision()
      expect(await eventually(stores.catalogue.revision, (number) => number === revision)).toBe(revision)
    }))

  test('a server that hangs is told within five seconds, and all goes on when it moves again', () =>
    withServer(async (server, stores) => {
      await server.pause()
      await expectUnavailable(stores)
      server.resume()
      expect(await works(stores)).toBe(true)
      expect(await stores.users.find(jane.id)).toMatchObject({ id: jane.id })
    }))

  test('what was acknowledged before the server was killed is there after it, each change with its event', () =>
    withServer(async (server, stores) => {
      const acknowledged: number[] = []
      const writing = atOnce(8, async (writer) => {
        for (;;) {
          const { sequence } = await stores.users.update(jane.id, (current) => {
            const next = current.sequence + 1
            return { user: { ...current, sequence: next, profile: { nickName: `${writer}` } }, events: [event(jane.id, next)] }
          })
          acknowledged.push(sequence)
        }
      })
      await eventually(
        () => acknowledged.length,
        (count) => count >= 60,
      )
      await server.kill()
      for (const outcome of await writing) expect(outcome).toMatchObject({ reason: expect.any(StoreUnavailable) })
      await server.restart()
      expect(await works(stores)).toBe(true)
      const found = await stores.users.find(jane.id)
      const events = await stores.audit.list({ kind: 'user', id: jane.id }, { limit: 10_000 })
      expect(acknowledged.length).toBeGreaterThanOrEqual(60)
      expect(found?.sequence).toBeGreaterThanOrEqual(Math.max(...acknowledged))
      expect(events.map(({ sequence = 0 }) => sequence).sort((a, b) => a - b)).toEqual(upTo(found?.sequence ?? 0))
    }))
})
