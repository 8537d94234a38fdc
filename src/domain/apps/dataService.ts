/**
 * The data source as functions and clients of an app reach it: methods by name, with the arguments of the documentation. Rules apply to everybody but the system.
 */
import type { Document } from 'bson'
import { keyOf } from '#src/base/bson.ts'
import type { DataSource, DocumentChange, DocumentCollection, Sort } from '../documents/store.ts'
import type { RuledCollection, RuledOptions } from '../rules/ruledCollection.ts'
import type { AppView } from './app.ts'
import { AppRefused, badRequest } from './failures.ts'
import type { CallerFacts } from './functions.ts'
import type { AppUser } from './userObject.ts'

export interface DataServiceDeps {
  readonly dataSource: Pick<DataSource, 'collection'>
  readonly ruled: (options: RuledOptions) => RuledCollection
  /** Whether something passes a filter in MongoDB's language. @throws DocumentsRefused */
  readonly matcherOf: (filter: Document) => Promise<(value: object) => boolean>
  readonly valuesOf: (view: AppView) => Readonly<Record<string, unknown>>
}

/** On whose behalf a collection is reached. */
export interface DataCaller {
  readonly view: AppView
  readonly user: AppUser
  readonly isSystem: boolean
  readonly facts?: CallerFacts
}

export type DataService = ReturnType<typeof createDataService>

export function createDataService({ dataSource, ruled, matcherOf, valuesOf }: DataServiceDeps) {
  const refuse = (reason: string) => new AppRefused(403, 'NoMatchingRuleFound', reason)

  function collectionOf({ view, user, isSystem, facts }: DataCaller, service: string, database: unknown, name: unknown): RuledCollection {
    const source = view.configuration.dataSources.get(service)
    if (!source) throw new AppRefused(404, 'ServiceNotFound', `service not found: '${service}'`)
    if (typeof database !== 'string' || database === '' || typeof name !== 'string' || name === '')
      throw badRequest('a database and a collection must be named')
    const collection: DocumentCollection = dataSource.collection(database, name)
    if (isSystem) return collection
    const namespace = `${database}.${name}`
    const rules = source.rules.get(namespace) ?? source.defaultRule
    if (!rules) throw refuse(`no rule exists for namespace '${namespace}'`)
    const { environment } = view.configuration
    const request = { remoteIPAddress: facts?.address ?? '', httpUserAgent: facts?.userAgent ?? '' }
    return ruled({ collection, namespace, rules, surroundings: { user, values: valuesOf(view), environment, request }, refuse })
  }

  return {
    /** A method of a collection with the arguments that it has in a function: filters and options by position. @throws AppRefused, DocumentsRefused */
    async byPosition(
      caller: DataCaller,
      {
        service,
        database,
        collection,
        method,
        parameters,
      }: {
        readonly service: string
        readonly database: string
        readonly collection: string
        readonly method: string
        readonly parameters: readonly unknown[]
      },
    ): Promise<unknown> {
      const target = collectionOf(caller, service, database, collection)
      const act = Object.hasOwn(positional, method) ? positional[method] : undefined
      if (!act) throw badRequest(`unknown method: ${method}`)
      return act(target, parameters)
    },

    /** A method of a collection with the arguments that `realm-web` sends: one object of names. @throws AppRefused, DocumentsRefused */
    async byName(caller: DataCaller, service: string, method: string, given: Readonly<Record<string, unknown>>): Promise<unknown> {
      const target = collectionOf(caller, service, given.database, given.collection)
      const act = Object.hasOwn(named, method) ? named[method] : undefined
      if (!act) throw badRequest(`unknown method: ${method}`)
      return act(target, given)
    },

    /** What changes in a collection, as far as it may be read; of some ids only, or what passes a filter over change events' documents. @throws AppRefused */
    async watch(
      caller: DataCaller,
      service: string,
      given: Readonly<Record<string, unknown>>,
      signal: AbortSignal,
    ): Promise<AsyncIterable<DocumentChange>> {
      const target = collectionOf(caller, service, given.database, given.collection)
      const ids = Array.isArray(given.ids) ? new Set(given.ids.map(keyOf)) : undefined
      const { filter } = given
      if (filter !== undefined && (typeof filter !== 'object' || filter === null || Array.isArray(filter)))
        throw badRequest('the filter of watch must be an object')
      // Of what they are told: a filter on what they may not read finds nothing.
      const passes = filter ? await matcherOf(filter as Document) : () => true
      return filtered(await target.watch(signal), (change) => (!ids || ids.has(keyOf(change.documentKey._id))) && passes(change))
    },
  }
}

async function* filtered<T>(items: AsyncIterable<T>, passes: (item: T) => boolean): AsyncGenerator<T> {
  for await (const item of items) if (passes(item)) yield item
}

type Options = Readonly<Record<string, unknown>>

const isDocument = (value: unknown): value is Document => typeof value === 'object' && value !== null && !Array.isArray(value)
const filterOf = (value: unknown): Document => {
  if (value === undefined || value === null) return {}
  if (!isDocument(value)) throw badRequest('a filter must be a document')
  return value
}
const documentOf = (value: unknown, what = 'document'): Document => {
  if (!isDocument(value)) throw badRequest(`the ${what} must be a document`)
  return value
}
const listOf = (value: unknown, what: string): Document[] => {
  if (!Array.isArray(value)) throw badRequest(`the ${what} must be a list`)
  return value.map((each) => documentOf(each, what))
}
const updateOf = (value: unknown): Document | readonly Document[] =>
  Array.isArray(value) ? listOf(value, 'update') : documentOf(value, 'update')
const numberOf = (value: unknown) => (value === undefined || value === null ? undefined : Number(String(value)))

/** An order, whose numbers may be of BSON's types. */
function sortOf(value: unknown): Sort | undefined {
  if (value === undefined || value === null) return undefined
  const entries = Object.entries(documentOf(value, 'sort')).map(([name, direction]) => {
    const number = numberOf(direction)
    if (number !== 1 && number !== -1) throw badRequest('a sort must be 1 or -1')
    return [name, number] as const
  })
  return Object.fromEntries(entries)
}

function optionsOf(given: unknown) {
  const options = (isDocument(given) ? given : {}) as Options
  const sort = sortOf(options.sort)
  const limit = numberOf(options.limit)
  const skip = numberOf(options.skip)
  const projection = options.projection ?? options.project
  return {
    ...(isDocument(projection) && { projection }),
    ...(sort && { sort }),
    ...(limit !== undefined && { limit }),
    ...(skip !== undefined && { skip }),
    ...(options.upsert === true && { upsert: true }),
    ...(options.returnNewDocument === true && { returnNewDocument: true }),
    ...(Array.isArray(options.arrayFilters) && { arrayFilters: listOf(options.arrayFilters, 'arrayFilters') }),
  }
}

type Positional = (target: RuledCollection, parameters: readonly unknown[]) => Promise<unknown>

const positional: Readonly<Record<string, Positional>> = {
  find: (target, [filter, options]) => target.find(filterOf(filter), optionsOf(options)),
  findOne: (target, [filter, projection, options]) =>
    target.findOne(filterOf(filter), optionsOf({ ...(isDocument(options) && options), ...(isDocument(projection) && { projection }) })),
  insertOne: (target, [document]) => target.insertOne(documentOf(document)),
  insertMany: (target, [documents]) => target.insertMany(listOf(documents, 'documents')),
  updateOne: (target, [filter, update, options]) => target.updateOne(filterOf(filter), updateOf(update), optionsOf(options)),
  updateMany: (target, [filter, update, options]) => target.updateMany(filterOf(filter), updateOf(update), optionsOf(options)),
  replaceOne: (target, [filter, document, options]) => target.replaceOne(filterOf(filter), documentOf(document), optionsOf(options)),
  deleteOne: (target, [filter]) => target.deleteOne(filterOf(filter)),
  deleteMany: (target, [filter]) => target.deleteMany(filterOf(filter)),
  findOneAndUpdate: (target, [filter, update, options]) => target.findOneAndUpdate(filterOf(filter), updateOf(update), optionsOf(options)),
  findOneAndReplace: (target, [filter, document, options]) =>
    target.findOneAndReplace(filterOf(filter), documentOf(document), optionsOf(options)),
  findOneAndDelete: (target, [filter, options]) => target.findOneAndDelete(filterOf(filter), optionsOf(options)),
  count: (target, [filter, options]) => target.count(filterOf(filter), optionsOf(options)),
  distinct: (target, [field, filter]) => target.distinct(String(field), filterOf(filter)),
  aggregate: (target, [pipeline]) => target.aggregate(listOf(pipeline, 'pipeline')),
  bulkWrite: (target, [operations]) => bulkWrite(target, listOf(operations, 'operations')),
}

/** Operations one after the other; what was done before one fails stays, as in MongoDB without a transaction. */
async function bulkWrite(target: RuledCollection, operations: readonly Document[]): Promise<unknown> {
  const total = { insertedCount: 0, matchedCount: 0, modifiedCount: 0, deletedCount: 0, upsertedCount: 0 }
  for (const operation of operations) {
    const [kind = '', given] = Object.entries(operation)[0] ?? []
    const { filter, update, replacement, document, ...options } = documentOf(given, 'operation')
    if (kind === 'insertOne') {
      await target.insertOne(documentOf(document))
      total.insertedCount += 1
    } else if (kind === 'updateOne' || kind === 'updateMany' || kind === 'replaceOne') {
      const change = kind === 'replaceOne' ? documentOf(replacement) : updateOf(update)
      const done = await target[kind](filterOf(filter), change as Document, optionsOf(options))
      total.matchedCount += done.matchedCount
      total.modifiedCount += done.modifiedCount
      total.upsertedCount += done.upsertedId === undefined ? 0 : 1
    } else if (kind === 'deleteOne' || kind === 'deleteMany') total.deletedCount += (await target[kind](filterOf(filter))).deletedCount
    else throw badRequest(`unknown operation: ${kind}`)
  }
  return total
}

type Named = (target: RuledCollection, given: Options) => Promise<unknown>

/** SDKs call the filter of some methods `query` and of others `filter`. */
const filterIn = (given: Options) => filterOf(given.query ?? given.filter)

const named: Readonly<Record<string, Named>> = {
  find: (target, given) => target.find(filterIn(given), optionsOf(given)),
  findOne: (target, given) => target.findOne(filterIn(given), optionsOf(given)),
  insertOne: (target, { document }) => target.insertOne(documentOf(document)),
  insertMany: (target, { documents }) => target.insertMany(listOf(documents, 'documents')),
  updateOne: (target, given) => target.updateOne(filterIn(given), updateOf(given.update), optionsOf(given)),
  updateMany: (target, given) => target.updateMany(filterIn(given), updateOf(given.update), optionsOf(given)),
  replaceOne: (target, given) => target.replaceOne(filterIn(given), documentOf(given.update), optionsOf(given)),
  deleteOne: (target, given) => target.deleteOne(filterIn(given)),
  deleteMany: (target, given) => target.deleteMany(filterIn(given)),
  findOneAndUpdate: (target, given) => target.findOneAndUpdate(filterIn(given), updateOf(given.update), optionsOf(given)),
  // `realm-web` 2.0.1 calls this for `findOneAndDelete`, without a replacement.
  findOneAndReplace: (target, given) =>
    given.update === undefined
      ? target.findOneAndDelete(filterIn(given), optionsOf(given))
      : target.findOneAndReplace(filterIn(given), documentOf(given.update), optionsOf(given)),
  findOneAndDelete: (target, given) => target.findOneAndDelete(filterIn(given), optionsOf(given)),
  count: (target, given) => target.count(filterIn(given), optionsOf(given)),
  distinct: (target, given) => target.distinct(String(given.key ?? given.field), filterIn(given)),
  aggregate: (target, { pipeline }) => target.aggregate(listOf(pipeline, 'pipeline')),
}
