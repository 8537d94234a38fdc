import { MongoClient } from 'mongodb'
import type { Finding } from '../inspect.ts'

/** What is told about a server: whether it can hold transactions, and what time it is there. */
interface Hello {
  readonly setName?: string
  readonly msg?: string
  readonly localTime: Date
}

/** Whether the server answers, is of the right kind and agrees about the time. Changes nothing. */
export async function inspectMongo(url: string, now: Date): Promise<readonly Finding[]> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000, appName: 'dossier config check' })
  try {
    await client.connect()
    const database = client.db()
    const hello = (await database.admin().command({ hello: 1 })) as unknown as Hello
    const collections = await database.listCollections({}, { nameOnly: true }).toArray()
    return [storeOf(hello, database.databaseName), schemaOf(collections.length, database.databaseName), clockOf(hello.localTime, now)]
  } catch (error) {
    return [{ name: 'store', status: 'failed', detail: `the database cannot be used: ${(error as Error).message}` }]
  } finally {
    await client.close()
  }
}

function storeOf({ setName, msg }: Hello, database: string): Finding {
  if (setName !== undefined) return { name: 'store', status: 'ok', detail: `MongoDB replica set ${setName}, database ${database}` }
  if (msg === 'isdbgrid') return { name: 'store', status: 'ok', detail: `MongoDB sharded cluster, database ${database}` }
  return {
    name: 'store',
    status: 'failed',
    detail: 'a standalone server has no transactions: start it with --replSet rs0 and run rs.initiate() once',
  }
}

const schemaOf = (collections: number, database: string): Finding => ({
  name: 'migrations',
  status: 'ok',
  detail:
    collections === 0
      ? `the database ${database} is empty; the first start would make collections and indexes`
      : `the database ${database} has ${collections} collections; indexes are brought up to date at each start`,
})

function clockOf(theirs: Date, now: Date): Finding {
  const apart = Math.round((now.getTime() - theirs.getTime()) / 1000)
  const detail = `it is ${now.toISOString()} here`
  return Math.abs(apart) > 10
    ? {
        name: 'clock',
        status: 'failed',
        detail: `${detail}, and ${Math.abs(apart)} seconds ${apart > 0 ? 'earlier' : 'later'} at the database: set both by a time server`,
      }
    : { name: 'clock', status: 'ok', detail: `${detail}, and at the database too` }
}
