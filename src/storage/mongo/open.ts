/**
 * The store on a MongoDB replica set or sharded cluster: everything in one database, for as many instances as one likes.
 *
 * One user is one document with its metadata inside; events, tokens and what the engine stores are collections of their own. Each file
 * beside is one noun of the domain; none of them knows a transport, and nothing outside knows that it is MongoDB.
 */
import { type Clock, systemClock } from '#src/base/clock.ts'
import { StoreUnavailable } from '#src/base/errors.ts'
import type { Stores } from '#src/domain/stores.ts'
import { createActionStore } from './actions.ts'
import { clientOf, hostsOf } from './address.ts'
import { createAppStore } from './apps.ts'
import { createArtifactStore } from './artifacts.ts'
import { createAttemptStore } from './attempts.ts'
import { createAuditStore } from './audit.ts'
import { createCatalogueStore } from './catalogue.ts'
import { Connection, servingOptions } from './connection.ts'
import { assertUsable, explained, hello } from './deployment.ts'
import { ensureIndexes } from './indexes.ts'
import { createKeyStore } from './keys.ts'
import { createMetadataStore } from './metadata.ts'
import { assertReadable, migrate } from './migrations.ts'
import { createRevision } from './revision.ts'
import { createPersonalAccessTokenStore } from './tokens.ts'
import { createUserStore } from './users.ts'

/**
 * The stores in the database that `url` names, made and brought up to date where needed. `now` decides what has expired.
 * @throws CannotStart when `url` is wrong, nobody answers there, the server is a standalone one, or the store is of a newer version;
 * nothing is changed then
 */
export async function openMongo(url: string, { now = systemClock }: { now?: Clock } = {}): Promise<Stores> {
  await prepare(url)
  const client = clientOf(url, servingOptions)
  const connection = new Connection(client)
  const revision = await createRevision(connection).catch(async (error) => {
    await connection.close()
    throw explained(error, client)
  })
  return {
    description: `MongoDB database ${connection.database.databaseName} at ${hostsOf(client)}`,
    users: createUserStore(connection),
    metadata: createMetadataStore(connection),
    catalogue: createCatalogueStore(connection, revision),
    keys: createKeyStore(connection, revision),
    actions: createActionStore(connection, revision),
    apps: createAppStore(connection, revision),
    tokens: createPersonalAccessTokenStore(connection),
    audit: createAuditStore(connection),
    artifacts: createArtifactStore(connection, now),
    attempts: createAttemptStore(connection),
    async ping() {
      const { isWritablePrimary } = await connection.run(() => hello(connection.database))
      if (!isWritablePrimary) throw new StoreUnavailable('it has no primary')
    },
    async close() {
      revision.stop()
      await connection.close()
    },
  }
}

/** Looks at the deployment, then brings it up to date, on a connection of its own: an index may take longer to build than a request may take. */
async function prepare(url: string): Promise<void> {
  const client = clientOf(url, { ...servingOptions, socketTimeoutMS: 0 })
  try {
    const database = client.db()
    assertUsable(await hello(database), client)
    await assertReadable(database)
    await ensureIndexes(database)
    await migrate(database)
  } catch (error) {
    throw explained(error, client)
  } finally {
    await client.close()
  }
}
