/** The data source of App Services apps on a MongoDB deployment, which may be another one than Dossier's own. */
import { serialize } from 'bson'
import { type ClientSession, type Collection, type Document, MongoServerError } from 'mongodb'
import { keyOf } from '#src/base/bson.ts'
import { StoreUnavailable } from '#src/base/errors.ts'
import { DocumentsRefused } from '#src/domain/documents/failures.ts'
import { assertNames } from '#src/domain/documents/names.ts'
import type { DataSource, DocumentChange, DocumentCollection, FindOptions, Guard, Updated } from '#src/domain/documents/store.ts'
import { clientOf, hostsOf } from './address.ts'
import { Connection, servingOptions } from './connection.ts'
import { explained } from './deployment.ts'

/** What would run code, or write elsewhere. */
const forbidden = new Set(['$where', '$function', '$accumulator', '$out', '$merge'])

/** Documents keep the types of BSON: what the embedded store answers too. */
const typed = { promoteValues: false, promoteBuffers: false, ignoreUndefined: true } as const

/** Opens the deployment at `url`, whose database does not matter: apps name theirs. @throws CannotStart */
export async function openMongoDocuments(url: string): Promise<DataSource> {
  const client = clientOf(withDatabase(url), { ...servingOptions, ...typed })
  try {
    await client.db().command({ ping: 1 })
  } catch (error) {
    await client.close()
    throw explained(error, client)
  }
  const connection = new Connection(client)
  return {
    description: `MongoDB at ${hostsOf(client)}`,
    collection(database, name) {
      assertNames(database, name)
      return createCollection(connection, client.db(database).collection(name))
    },
    close: () => connection.close(),
  }
}

/** An address needs a database for its credentials only. */
const withDatabase = (url: string) =>
  /^mongodb(\+srv)?:\/\/[^/]+\/[^/?]+/.test(url) ? url : url.replace(/^([^?]+?)\/?(\?|$)/, '$1/admin$2')

/** What the server, or the driver, does not take; anything else as it is. */
function refused(error: unknown): unknown {
  if (error instanceof StoreUnavailable || error instanceof DocumentsRefused) return error
  if (error instanceof MongoServerError)
    return new DocumentsRefused(error.message, { cause: error, ...(Number(error.code) > 0 && { number: Number(error.code) }) })
  const isDrivers =
    error instanceof Error &&
    /^(Mongo|BSON)(InvalidArgument|API)?Error$|^Mongo(InvalidArgument|Compatibility)Error$|^BSONError$/.test(error.name)
  return isDrivers ? new DocumentsRefused((error as Error).message, { cause: error }) : error
}

function assertHarmless(value: unknown): void {
  if (Array.isArray(value)) for (const each of value) assertHarmless(each)
  else if (typeof value === 'object' && value !== null && !('_bsontype' in value)) {
    for (const [name, each] of Object.entries(value)) {
      if (forbidden.has(name)) throw new DocumentsRefused(`${name} is not allowed here`)
      assertHarmless(each)
    }
  }
}

function createCollection(connection: Connection, collection: Collection): DocumentCollection {
  const run = async <T>(asked: readonly unknown[], work: () => Promise<T>): Promise<T> => {
    for (const each of asked) assertHarmless(each)
    try {
      return await connection.run(work)
    } catch (error) {
      throw refused(error)
    }
  }

  /** A write that is judged: what it touches is read before and after, in its transaction. All or none, also where nobody judges. */
  async function judged<T>(
    asked: readonly unknown[],
    guard: Guard | undefined,
    find: ((session: ClientSession) => Promise<readonly Document[]>) | undefined,
    work: (
      session: ClientSession,
      ids: readonly unknown[] | undefined,
    ) => Promise<{ readonly answer: T; readonly made?: readonly unknown[] }>,
  ): Promise<T> {
    for (const each of asked) assertHarmless(each)
    try {
      return await connection.change(`${collection.namespace}`, (transaction) =>
        transaction(async (session) => {
          const before = guard ? ((await find?.(session)) ?? []) : []
          const ids = guard && find ? before.map(({ _id }) => _id) : undefined
          const { answer, made = [] } = await work(session, ids)
          if (!guard) return answer
          const touched = [...before.map(({ _id }) => _id), ...made]
          const after = new Map<string, Document>()
          for await (const document of collection.find({ _id: { $in: touched as never[] } }, { session }))
            after.set(keyOf(document._id), document)
          for (const document of before) {
            const next = after.get(keyOf(document._id))
            if (!next || !sameBytes(document, next)) guard(document, next)
          }
          for (const id of made) guard(undefined, after.get(keyOf(id)))
          return answer
        }),
      )
    } catch (error) {
      throw refused(error)
    }
  }

  const optionsOf = ({ projection, sort, limit, skip }: FindOptions) => ({
    ...(projection && { projection }),
    ...(sort && { sort: { ...sort } }),
    ...(limit !== undefined && { limit }),
    ...(skip !== undefined && { skip }),
  })

  /**
   * What a write is about. With a guard it is what was read, and nothing that came since; an upsert is one only where nothing was. The filter stays: a positional
   * update needs it.
   */
  function about(
    filter: Document,
    ids: readonly unknown[] | undefined,
    upsert = false,
  ): { readonly filter: Document; readonly upsert: boolean } {
    if (!ids) return { filter, upsert }
    return upsert && ids.length === 0
      ? { filter, upsert: true }
      : { filter: { ...filter, $and: [...(filter.$and ?? []), { _id: { $in: ids } }] }, upsert: false }
  }

  const counts = ({ matchedCount, modifiedCount, upsertedId }: { matchedCount: number; modifiedCount: number; upsertedId: unknown }) => ({
    answer: {
      matchedCount: Number(matchedCount),
      modifiedCount: Number(modifiedCount),
      ...(upsertedId !== null && upsertedId !== undefined && { upsertedId }),
    } satisfies Updated,
    made: upsertedId === null || upsertedId === undefined ? [] : [upsertedId],
  })

  return {
    find: (filter, options = {}) => run([filter, options], () => collection.find(filter, optionsOf(options)).toArray()),
    findOne: (filter, options = {}) => run([filter, options], () => collection.findOne(filter, optionsOf(options))),
    count: (filter, options = {}) => run([filter], async () => Number(await collection.countDocuments(filter, optionsOf(options)))),
    distinct: (field, filter = {}) => run([filter], () => collection.distinct(field, filter)),
    aggregate: (pipeline) => run([pipeline], () => collection.aggregate([...pipeline]).toArray()),

    insertOne: (document, { guard } = {}) =>
      judged([], guard, undefined, async (session) => {
        const { insertedId } = await collection.insertOne({ ...document } as never, { session })
        return { answer: { insertedId: insertedId as unknown }, made: [insertedId] }
      }),
    insertMany: (documents, { guard } = {}) =>
      judged([], guard, undefined, async (session) => {
        if (documents.length === 0) return { answer: { insertedIds: [] } }
        const { insertedIds } = await collection.insertMany(documents.map((each) => ({ ...each })) as never, { session })
        const made = Object.values(insertedIds)
        return { answer: { insertedIds: made as readonly unknown[] }, made }
      }),
    updateOne: (filter, update, { guard, upsert = false, arrayFilters } = {}) =>
      judged(
        [filter, update],
        guard,
        (session) => collection.find(filter, { session, limit: 1 }).toArray(),
        async (session, ids) => {
          const target = about(filter, ids, upsert)
          const options = { session, upsert: target.upsert, ...(arrayFilters && { arrayFilters: [...arrayFilters] }) }
          return counts(await collection.updateOne(target.filter, update as never, options))
        },
      ),
    updateMany: (filter, update, { guard, upsert = false, arrayFilters } = {}) =>
      judged(
        [filter, update],
        guard,
        (session) => collection.find(filter, { session }).toArray(),
        async (session, ids) => {
          const target = about(filter, ids, upsert)
          const options = { session, upsert: target.upsert, ...(arrayFilters && { arrayFilters: [...arrayFilters] }) }
          return counts(await collection.updateMany(target.filter, update as never, options))
        },
      ),
    replaceOne: (filter, replacement, { guard, upsert = false } = {}) =>
      judged(
        [filter],
        guard,
        (session) => collection.find(filter, { session, limit: 1 }).toArray(),
        async (session, ids) => {
          const target = about(filter, ids, upsert)
          const done = await collection.replaceOne(target.filter, { ...replacement } as never, { session, upsert: target.upsert })
          return counts(done as Parameters<typeof counts>[0])
        },
      ),
    deleteOne: (filter, { guard } = {}) =>
      judged(
        [filter],
        guard,
        (session) => collection.find(filter, { session, limit: 1 }).toArray(),
        async (session, ids) => ({
          answer: { deletedCount: Number((await collection.deleteOne(about(filter, ids).filter, { session })).deletedCount) },
        }),
      ),
    deleteMany: (filter, { guard } = {}) =>
      judged(
        [filter],
        guard,
        (session) => collection.find(filter, { session }).toArray(),
        async (session, ids) => ({
          answer: { deletedCount: Number((await collection.deleteMany(about(filter, ids).filter, { session })).deletedCount) },
        }),
      ),
    findOneAndUpdate: (filter, update, { guard, upsert = false, arrayFilters, returnNewDocument = false, ...rest } = {}) =>
      judged(
        [filter, update],
        guard,
        (session) => collection.find(filter, { session, limit: 1, ...(rest.sort && { sort: { ...rest.sort } }) }).toArray(),
        async (session, ids) => {
          const target = about(filter, ids, upsert)
          const result = await collection.findOneAndUpdate(target.filter, update as never, {
            session,
            includeResultMetadata: true,
            upsert: target.upsert,
            returnDocument: returnNewDocument ? 'after' : 'before',
            ...optionsOf(rest),
            ...(arrayFilters && { arrayFilters: [...arrayFilters] }),
          })
          return { answer: result.value as Document | null, made: upsertedIn(result.lastErrorObject) }
        },
      ),
    findOneAndReplace: (filter, replacement, { guard, upsert = false, returnNewDocument = false, ...rest } = {}) =>
      judged(
        [filter],
        guard,
        (session) => collection.find(filter, { session, limit: 1, ...(rest.sort && { sort: { ...rest.sort } }) }).toArray(),
        async (session, ids) => {
          const target = about(filter, ids, upsert)
          const result = await collection.findOneAndReplace(target.filter, { ...replacement } as never, {
            session,
            includeResultMetadata: true,
            upsert: target.upsert,
            returnDocument: returnNewDocument ? 'after' : 'before',
            ...optionsOf(rest),
          })
          return { answer: result.value as Document | null, made: upsertedIn(result.lastErrorObject) }
        },
      ),
    findOneAndDelete: (filter, { guard, ...rest } = {}) =>
      judged(
        [filter],
        guard,
        (session) => collection.find(filter, { session, limit: 1, ...(rest.sort && { sort: { ...rest.sort } }) }).toArray(),
        async (session, ids) => ({
          answer: (await collection.findOneAndDelete(about(filter, ids).filter, { session, ...optionsOf(rest) })) as Document | null,
        }),
      ),

    hasIndex: (field) =>
      run([], async () => {
        if (field === '_id') return true
        const indexes = await collection.indexes().catch(() => [])
        return indexes.some(({ key }) => Object.keys(key)[0] === field)
      }),
    ensureIndex: (field) =>
      run([], async () => {
        if (field !== '_id') await collection.createIndex({ [field]: 1 })
      }),

    revision: async () => undefined,

    async watch(signal) {
      const stream = collection.watch([], { fullDocument: 'updateLookup', maxAwaitTimeMS: 1000, readConcern: { level: 'majority' } })
      signal.addEventListener('abort', () => void stream.close().catch(() => undefined), { once: true })
      // The stream begins where the server first answers.
      const first = await stream.tryNext().catch((error: unknown) => {
        throw refused(error)
      })
      return follow(stream, first as DocumentChange | null, signal)
    },
  }
}

async function* follow(
  stream: ReturnType<Collection['watch']>,
  first: DocumentChange | null,
  signal: AbortSignal,
): AsyncGenerator<DocumentChange> {
  const kinds = new Set(['insert', 'update', 'replace', 'delete'])
  try {
    if (first && kinds.has(first.operationType)) yield first
    while (!signal.aborted) {
      const change = (await stream.tryNext()) as DocumentChange | null
      if (change && kinds.has(change.operationType)) yield change
    }
  } catch (error) {
    if (!signal.aborted) throw refused(error)
  } finally {
    await stream.close().catch(() => undefined)
  }
}

const upsertedIn = (result: unknown): readonly unknown[] => {
  const id = (result as { readonly upserted?: unknown } | undefined)?.upserted
  return id === undefined ? [] : [id]
}

const sameBytes = (a: Document, b: Document) => Buffer.from(serialize(a)).equals(serialize(b))
