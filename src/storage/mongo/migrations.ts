/**
 * The versions of what is in the collections. A step that was published is never changed: a change is a further step. Steps may run in two
 * processes at once and after a step that was cut short, so each must come to the same end when it is repeated.
 */
import type { Db } from 'mongodb'
import { CannotStart } from '#src/base/errors.ts'
import { comparable } from '#src/domain/users/user.ts'
import { dropIndexes } from './indexes.ts'
import { entriesOf } from './metadata.ts'
import { tagOf } from './metadataTag.ts'
import { rootId, rootOf } from './revision.ts'
import { usersOf } from './userDocument.ts'
import { userWordsOf, wordDocumentsOf } from './userWords.ts'

type Step = (database: Db) => Promise<unknown>

const steps: readonly Step[] = [
  // 1: the one document of the catalogue, so that its changes are updates from the start and two first commits meet in it.
  (database) => rootOf(database).updateOne({ _id: rootId }, { $setOnInsert: { revision: 0 } }, { upsert: true }),
  // 2: what users are looked for by.
  async (database) => {
    const users = usersOf(database)
    for await (const { _id, user, metadata } of users.find({ 'metadata.tags': { $exists: false } })) {
      const emailSearch = user.profile.email && comparable(user.profile.email)
      const entries = entriesOf(metadata)
      const names = entries.map(({ key }) => key)
      const set = { 'metadata.names': names, 'metadata.tags': entries.map(tagOf), ...(emailSearch && { emailSearch }) }
      await users.updateOne({ _id, 'metadata.tags': { $exists: false } }, { $set: set, $inc: { version: 1 } })
    }
  },
  // 3: the words that users are browsed by; and indices whose places others have taken.
  async (database) => {
    let words: ReturnType<typeof wordDocumentsOf>[number][] = []
    for await (const { _id, user } of usersOf(database).find({}, { projection: { user: 1 } })) {
      words.push(...wordDocumentsOf(_id, user))
      if (words.length >= 5000) words = await written(database, words)
    }
    await written(database, words)
    await dropIndexes(database, 'users', ['by_metadata_key', 'by_metadata', 'by_project'])
  },
]

/** Inserts those of `words` that are not there; answers an empty list for the next ones. */
async function written(database: Db, words: ReturnType<typeof wordDocumentsOf>[number][]): Promise<[]> {
  if (words.length === 0) return []
  const upserts = words.map(({ _id, userId }) => ({
    updateOne: { filter: { _id, userId }, update: { $setOnInsert: { userId } }, upsert: true },
  }))
  await userWordsOf(database).bulkWrite(upserts, { ordered: false })
  return []
}

interface SchemaDocument {
  readonly _id: 'schema'
  readonly version: number
}

const schemaOf = (database: Db) => database.collection<SchemaDocument>('schema')

/** The version that this program brings a database to. */
export const knownVersion = steps.length

/** The version of what is in `database`; 0 when nothing is. */
export const versionOf = async (database: Db) => (await schemaOf(database).findOne({ _id: 'schema' }))?.version ?? 0

/** Makes sure that the database is of no newer version than ours. Changes nothing. @throws CannotStart */
export async function assertReadable(database: Db): Promise<void> {
  const version = await versionOf(database)
  if (version > knownVersion) {
    throw new CannotStart(
      `the database ${database.databaseName} was written by a newer version of Dossier (schema ${version}, this one knows ` +
        `${knownVersion}): start that version or a later one, or restore a backup made before the upgrade`,
    )
  }
}

/** Brings the database to our version, a step at a time. */
export async function migrate(database: Db): Promise<void> {
  for (let version = await versionOf(database); version < knownVersion; version += 1) {
    await steps[version]?.(database)
    // Never downwards: a process of a newer version may have gone further meanwhile.
    await schemaOf(database).updateOne({ _id: 'schema' }, { $max: { version: version + 1 } }, { upsert: true })
  }
}
