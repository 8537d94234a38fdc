/**
 * What all test files share: one MongoDB, started when the first test asks for it, stopped after the last one. Whoever runs no test on
 * MongoDB does not wait for one.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import type { TestProject } from 'vitest/node'
import { newObjectId } from '#src/base/ids.ts'
import type { MongodbAnswer } from './mongodb.ts'
import { type MongodbServer, startMongodb } from './mongodbServer.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A connection to this port is answered with a `MongodbAnswer` and closed. */
    mongodbPort: number
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Workers inherit it, and make their folders in there (temp.ts): they are ended too abruptly to tidy up themselves.
  const folder = mkdtempSync(join(tmpdir(), 'dossier-test-'))
  process.env.TEST_FOLDER = folder
  const given = process.env.TEST_MONGODB_URL
  const prefix = `dossier_test_${newObjectId().slice(-10)}_`
  let server: Promise<MongodbServer> | undefined

  async function answer(): Promise<MongodbAnswer> {
    if (given) return { url: given, prefix }
    const isFirst = server === undefined
    try {
      server ??= startMongodb({ forgetful: true })
      return { url: (await server).url, prefix }
    } catch (error) {
      const missing = (error as Error).message
      if (isFirst)
        process.stderr.write(
          `\n*** TESTS ON MONGODB ARE SKIPPED (${missing}): set TEST_MONGODB_URL, or put mongod or python3 on the PATH ***\n\n`,
        )
      return { missing }
    }
  }

  const door = createServer(async (socket) => {
    socket.on('error', () => undefined)
    socket.end(JSON.stringify(await answer()))
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  project.provide('mongodbPort', (door.address() as AddressInfo).port)

  return async () => {
    door.close()
    await (await server?.catch(() => undefined))?.[Symbol.asyncDispose]()
    if (given) await dropDatabases(given, prefix)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A server that is not ours is left as it was. */
async function dropDatabases(url: string, prefix: string): Promise<void> {
  const client = new MongoClient(url)
  try {
    const { databases } = await client.db().admin().listDatabases({ nameOnly: true })
    const ours = databases.filter(({ name }) => name.startsWith(prefix))
    for (const { name } of ours) await client.db(name).dropDatabase()
  } finally {
    await client.close()
  }
}
