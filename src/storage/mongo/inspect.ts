import type { Db, MongoClient } from 'mongodb'
import { CannotStart } from '#src/base/errors.ts'
import type { Finding } from '../inspect.ts'
import { clientOf, hostsOf } from './address.ts'
import { Connection, servingOptions } from './connection.ts'
import { assertUsable, explained, type Hello, hello } from './deployment.ts'
import { assertReadable, knownVersion, versionOf } from './migrations.ts'

/** What `openMongo` would find at `url`. `now` is the time of the call. Changes nothing. */
export async function inspectMongo(url: string, now: Date): Promise<readonly Finding[]> {
  const calledAt = performance.now()
  const here = () => new Date(now.getTime() + performance.now() - calledAt)
  try {
    const client = clientOf(url, servingOptions)
    const connection = new Connection(client)
    try {
      return await connection.run(() => findingsOf(client, connection.database, here))
    } catch (error) {
      throw explained(error, client)
    } finally {
      await connection.close()
    }
  } catch (error) {
    return [failed('store', error)]
  }
}

/** The signing keys that are in use, as they are sealed. */
export async function sealedKeysInMongo(url: string): Promise<readonly { readonly kid: string; readonly sealed: string }[]> {
  const client = clientOf(url, servingOptions)
  const connection = new Connection(client)
  try {
    const keys = connection.database.collection<{ _id: string; sealed: string }>('signing_keys')
    const found = await connection.run(() => keys.find({ publishedUntil: { $exists: false } }).toArray())
    return found.map(({ _id, sealed }) => ({ kid: _id, sealed }))
  } finally {
    await connection.close()
  }
}

async function findingsOf(client: MongoClient, database: Db, here: () => Date): Promise<readonly Finding[]> {
  const told = await hello(database)
  const clock = clockOf(told.localTime, here())
  assertUsable(told, client)
  return [storeOf(told, client), await schemaOf(database), clock]
}

/** @throws what is not for the operator to mend */
function failed(name: string, error: unknown): Finding {
  if (!(error instanceof CannotStart)) throw error
  return { name, status: 'failed', detail: error.message }
}

function storeOf({ setName }: Hello, client: MongoClient): Finding {
  const kind = setName === undefined ? 'sharded cluster' : `replica set ${setName}`
  return { name: 'store', status: 'ok', detail: `MongoDB ${kind} at ${hostsOf(client)}` }
}

async function schemaOf(database: Db): Promise<Finding> {
  const name = 'migrations'
  try {
    await assertReadable(database)
  } catch (error) {
    return failed(name, error)
  }
  const version = await versionOf(database)
  const store = `the database ${database.databaseName}`
  if (version === 0) return { name, status: 'ok', detail: `there is no store in ${store} yet; the first start would make it` }
  const pending = version < knownVersion ? `; the next start would bring it to ${knownVersion}` : ', which is current'
  return { name, status: 'ok', detail: `${store} has schema ${version}${pending}` }
}

/** The server deletes what has expired by its own clock, and instances share what they write: all must agree. */
function clockOf(there: Date, here: Date): Finding {
  const name = 'clock'
  const detail = `it is ${here.toISOString()} here`
  const ahead = Math.round((here.getTime() - there.getTime()) / 1000)
  if (Math.abs(ahead) <= 10) return { name, status: 'ok', detail: `${detail}, and at the database too` }
  const apart = `${Math.abs(ahead)} seconds ${ahead > 0 ? 'earlier' : 'later'} at the database`
  return { name, status: 'failed', detail: `${detail}, and ${apart}: set both by a time server` }
}
