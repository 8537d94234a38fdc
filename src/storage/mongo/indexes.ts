/**
 * The collections and their indexes, made at every start where they are missing. Migrations of what is in them stand in `migrations.ts`.
 *
 * In a sharded cluster these would be the shard keys. A unique index must begin with the shard key, which is why usernames have a
 * collection of their own, and why nothing else about users is unique but their id.
 *
 * | collection             | shard key              | because                                                                          |
 * | ---------------------- | ---------------------- | -------------------------------------------------------------------------------- |
 * | users                  | _id                    | a user is one document, read by id; metadata is inside                           |
 * | usernames              | _id                    | the comparable form of a name, taken by one user                                 |
 * | identities             | _id, hashed            | a login at a provider, of one user                                               |
 * | user_words             | userId                 | belongs to a user, changed with them; looked through on all shards               |
 * | personal_access_tokens | userId                 | belongs to a user, removed with them; found by hash on all shards                |
 * | events                 | subject.id             | belongs to a user: one change and its events are on one shard, and unique there  |
 * | artifacts              | _id, hashed            | asked for by id before anybody knows whose it is; ids are random                 |
 * | attempts               | _id, hashed            | a digest                                                                         |
 * | catalogue, projects, applications, signing_keys, targets, executions, apps, schema | not sharded | few and small                                        |
 *
 * Sharding `users` or `artifacts` needs MongoDB 5.1 or later, the first that looks up in a collection that is sharded.
 */
import type { Db, IndexDescription } from 'mongodb'
import { graceSeconds } from './artifacts.ts'

const collections: Readonly<Record<string, readonly IndexDescription[]>> = {
  schema: [],
  users: [
    { name: 'by_verified_email', key: { emailKey: 1 }, sparse: true },
    { name: 'by_email', key: { emailSearch: 1 } },
    { name: 'by_username', key: { usernameKey: 1 } },
    { name: 'by_creation', key: { 'user.createdAt': 1, _id: 1 } },
    { name: 'by_state', key: { 'user.state': 1, 'user.createdAt': 1, _id: 1 } },
    { name: 'by_kind', key: { 'user.kind': 1, 'user.createdAt': 1, _id: 1 } },
    { name: 'by_metadata_key_and_id', key: { 'metadata.names': 1, _id: 1 } },
    { name: 'by_metadata_and_id', key: { 'metadata.tags': 1, _id: 1 } },
    { name: 'by_project_and_id', key: { 'user.roles.projectId': 1, _id: 1 } },
  ],
  usernames: [],
  user_words: [],
  identities: [{ name: 'by_app', key: { app: 1, userId: 1 } }],
  apps: [{ name: 'by_client_app_id', key: { clientAppId: 1 }, unique: true }],
  personal_access_tokens: [
    { name: 'by_hash', key: { hash: 1 } },
    { name: 'by_user', key: { userId: 1, createdAt: 1 } },
  ],
  events: [
    {
      name: 'without_gap',
      key: { 'subject.id': 1, sequence: 1 },
      unique: true,
      partialFilterExpression: { sequence: { $exists: true } },
    },
    { name: 'by_time', key: { at: 1, _id: 1 } },
    { name: 'by_type', key: { type: 1, at: 1, _id: 1 } },
    { name: 'by_actor', key: { 'actor.kind': 1, 'actor.id': 1, at: 1, _id: 1 } },
    { name: 'by_subject', key: { 'subject.id': 1, 'subject.kind': 1, at: -1, _id: -1 } },
  ],
  catalogue: [],
  projects: [],
  applications: [
    { name: 'by_client_id', key: { clientId: 1 }, unique: true },
    { name: 'by_project', key: { projectId: 1, createdAt: 1 } },
  ],
  signing_keys: [],
  targets: [],
  executions: [],
  artifacts: [
    { name: 'by_expiry', key: { expiresAt: 1 }, expireAfterSeconds: graceSeconds },
    { name: 'by_grant', key: { grantId: 1, model: 1 } },
    // Only sessions are looked for by uid; tokens have one too, which names the session that they end with.
    { name: 'by_uid', key: { uid: 1, order: -1 }, partialFilterExpression: { model: 'Session' } },
    { name: 'by_user_code', key: { userCode: 1 }, sparse: true },
    { name: 'by_account', key: { accountId: 1 }, sparse: true },
  ],
  attempts: [{ name: 'by_expiry', key: { expiresAt: 1 }, expireAfterSeconds: 0 }],
}

/** Makes what is missing of collections and indexes. Several processes may do so at once. */
export async function ensureIndexes(database: Db): Promise<void> {
  const existing = new Set((await database.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name))
  await Promise.all(
    Object.entries(collections).map(async ([name, indexes]) => {
      if (indexes.length > 0) await database.collection(name).createIndexes([...indexes])
      else if (!existing.has(name)) await createCollection(database, name)
    }),
  )
}

/** Takes indices away that are there no more use for. Several processes may do so at once. */
export async function dropIndexes(database: Db, name: string, unwanted: readonly string[]): Promise<void> {
  const collection = database.collection(name)
  const existing = (await collection.indexes()).map((index) => String(index.name))
  for (const index of existing.filter((each) => unwanted.includes(each))) {
    await collection.dropIndex(index).catch((error) => {
      if ((error as { code?: unknown }).code !== indexNotFound) throw error
    })
  }
}

const indexNotFound = 27
const namespaceExists = 48

async function createCollection(database: Db, name: string): Promise<void> {
  try {
    await database.createCollection(name)
  } catch (error) {
    if ((error as { code?: unknown }).code !== namespaceExists) throw error
  }
}
