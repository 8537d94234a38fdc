/**
 * A collection as somebody sees it to whom rules apply: they find what a role lets them read, and of that the fields that it lets them read; what they write has to be theirs to
 * write, before and after. What they may not see does not count, is not matched and cannot be told from what is not there.
 */
import type { Document } from 'bson'
import { keyOf } from '#src/base/bson.ts'
import type { RoleFile, RulesFile } from '../apps/configuration.ts'
import type { DocumentChange, DocumentCollection, FindAndChangeOptions, FindOptions, UpdateOptions } from '../documents/store.ts'
import { type Expression, holds, isOfCallerOnly, isPlain, queryOf, type Surroundings, valueAt } from './expressions.ts'
import { projected } from './projection.ts'
import { isWhole, mayChange, mayReadField, readable, roleFor } from './roles.ts'

/** What a person does is refused. */
type Refuse = (reason: string) => Error

export interface RuledOptions {
  readonly collection: DocumentCollection
  /** For people: `database.collection`. */
  readonly namespace: string
  readonly rules: RulesFile
  /** Who asks, and what else the rules may speak of. */
  readonly surroundings: Omit<Surroundings, 'root' | 'prevRoot'>
  readonly refuse: Refuse
}

export type RuledCollection = Omit<DocumentCollection, 'hasIndex' | 'ensureIndex' | 'revision'>

/** As many as App Services answers at most. */
const mostDocuments = 50_000
const chunk = 500
/** Stages that reach beyond the documents that come in. */
const reaching = new Set([
  '$lookup',
  '$graphLookup',
  '$unionWith',
  '$out',
  '$merge',
  '$collStats',
  '$indexStats',
  '$planCacheStats',
  '$currentOp',
])

/** @throws what `refuse` makes, from every method */
export function ruledCollection({ collection, namespace, rules, surroundings, refuse }: RuledOptions): RuledCollection {
  /** Roles that may apply to some document, with what the data source can look for. */
  const possible: { readonly role: RoleFile; readonly query: Document }[] = []
  for (const role of rules.roles) {
    const query = queryOf(role.apply_when as Expression, surroundings)
    if (query) possible.push({ role, query })
    // It applies to every document: none is left for those behind it.
    if (isOfCallerOnly(role.apply_when as Expression) && holds(role.apply_when as Expression, surroundings)) break
  }
  const ownFilters = rules.filters.filter(({ apply_when }) => holds(apply_when as Expression, surroundings))

  /** What of the collection can be visible at all. */
  function visible(filter: Document): Document {
    if (possible.length === 0) throw refuse(`no matching role found for ${namespace}`)
    const roles = possible.map(({ query }) => query)
    const parts = [filter, ...ownFilters.flatMap(({ query }) => (query ? [query] : []))]
    if (roles.every((query) => Object.keys(query).length > 0)) parts.push(roles.length === 1 ? (roles[0] as Document) : { $or: roles })
    const some = parts.filter((part) => Object.keys(part).length > 0)
    return some.length === 0 ? {} : some.length === 1 ? (some[0] as Document) : { $and: some }
  }

  /** The fields that a filter or an order speaks of. Whoever may not read a field learns nothing of it by asking for it. */
  function assertAskable(paths: readonly string[]): void {
    for (const path of paths) {
      for (const { role } of possible)
        if (!couldRead(role, path)) throw refuse(`the field ${JSON.stringify(path)} of ${namespace} may not be asked for`)
    }
  }

  function read(document: Document, paths: readonly string[]): Document | undefined {
    const around = { ...surroundings, root: document }
    const role = roleFor(rules, around)
    if (!role || paths.some((path) => !mayReadField(role, path, around))) return undefined
    return readable(role, document, around)
  }

  /** Every document that passes and may be read, in order, until `enough` have come. */
  async function readMany(filter: Document, { sort, skip = 0, limit }: Omit<FindOptions, 'projection'>): Promise<Document[]> {
    const paths = [...pathsOf(filter, refuse), ...Object.keys(sort ?? {})]
    assertAskable(paths)
    const enough = Math.min(skip + (limit === undefined || limit === 0 ? mostDocuments + 1 : limit), mostDocuments + 1)
    const condition = visible(filter)
    const found: Document[] = []
    for (let at = 0; found.length < enough; at += chunk) {
      const documents = await collection.find(condition, { ...(sort && { sort }), skip: at, limit: chunk })
      for (const document of documents) {
        const seen = read(document, paths)
        if (seen) found.push(seen)
      }
      if (documents.length < chunk) break
    }
    if (found.length > mostDocuments) throw refuse(`more than ${mostDocuments} documents: ask for fewer by a filter or a limit`)
    return found.slice(skip, enough)
  }

  /** Judges a write. */
  function guard(before: Document | undefined, after: Document | undefined): void {
    const around = { ...surroundings, root: before ?? after }
    const role = roleFor(rules, around)
    if (!role) throw refuse(`no matching role found for ${namespace}`)
    if (before === undefined) {
      if (!holds(role.insert, around) || !mayChange(role, undefined, after as Document, around))
        throw refuse(`insert not permitted in ${namespace}`)
    } else if (after === undefined) {
      if (!holds(role.delete, around)) throw refuse(`delete not permitted in ${namespace}`)
    } else {
      const next = { ...surroundings, root: after, prevRoot: before }
      // Nobody gives away, or takes, what the role is about.
      if (!holds(role.apply_when as Expression, next) || !mayChange(role, before, after, next))
        throw refuse(`update not permitted in ${namespace}`)
    }
  }

  function toWrite(filter: Document): Document {
    assertAskable(pathsOf(filter, refuse))
    return visible(filter)
  }

  /** An update that is a pipeline may copy what somebody cannot read to where they can. */
  function assertPlain(update: Document | readonly Document[]): void {
    const isOpen = possible.every(({ role }) => role.read === true || role.write === true)
    if (Array.isArray(update) && !isOpen) throw refuse('an update may be a pipeline only where no role hides fields')
  }

  const guarded = <T extends UpdateOptions>(options: T | undefined): T => ({ ...(options as T), guard })

  /** The answer of a change to one document, as far as it may be read. */
  async function changed(
    options: FindAndChangeOptions | undefined,
    change: (options: FindAndChangeOptions) => Promise<Document | null>,
  ): Promise<Document | null> {
    assertAskable(Object.keys(options?.sort ?? {}))
    const { projection, ...rest } = options ?? {}
    const document = await change(guarded(rest))
    const seen = document && read(document, [])
    return seen ? projected(seen, projection, refuse) : null
  }

  return {
    async find(filter, { projection, ...options } = {}) {
      return (await readMany(filter, options)).map((document) => projected(document, projection, refuse))
    },

    async findOne(filter, { projection, ...options } = {}) {
      const [document] = await readMany(filter, { ...options, limit: 1 })
      return document ? projected(document, projection, refuse) : null
    },

    count: async (filter, options = {}) => (await readMany(filter, options)).length,

    async distinct(field, filter = {}) {
      assertAskable([field])
      const ids = (await readMany(filter, {})).filter((document) => valueAt(document, field) !== undefined).map(({ _id }) => _id)
      return collection.distinct(field, { _id: { $in: ids } })
    },

    /** Over documents that may be read whole; a role that hides fields lets nobody aggregate. */
    async aggregate(pipeline) {
      const stages = stagesOf(pipeline)
      const far = stages.find((stage) => reaching.has(stage))
      if (far) throw refuse(`the stage ${far} is not permitted where rules apply`)
      const [first, ...rest] = pipeline
      const filter = isPlain(first?.$match) ? (first.$match as Document) : {}
      const documents: unknown[] = []
      for (const document of await readMany(filter, {})) {
        const around = { ...surroundings, root: document }
        const role = roleFor(rules, around)
        if (role && isWhole(role, 'read', around)) documents.push(document._id)
        else throw refuse(`aggregate not permitted in ${namespace}: a role hides fields`)
      }
      return collection.aggregate([{ $match: { _id: { $in: documents } } }, ...(isPlain(first?.$match) ? rest : pipeline)])
    },

    insertOne: (document) => collection.insertOne(document, { guard }),
    insertMany: (documents) => collection.insertMany(documents, { guard }),
    async updateOne(filter, update, options) {
      assertPlain(update)
      return collection.updateOne(toWrite(filter), update, guarded(options))
    },

    async updateMany(filter, update, options) {
      assertPlain(update)
      return collection.updateMany(toWrite(filter), update, guarded(options))
    },

    replaceOne: async (filter, replacement, options) => collection.replaceOne(toWrite(filter), replacement, guarded(options)),
    deleteOne: async (filter) => collection.deleteOne(toWrite(filter), { guard }),
    deleteMany: async (filter) => collection.deleteMany(toWrite(filter), { guard }),
    async findOneAndUpdate(filter, update, options) {
      assertPlain(update)
      return changed(options, (each) => collection.findOneAndUpdate(toWrite(filter), update, each))
    },
    findOneAndReplace: (filter, replacement, options) =>
      changed(options, (each) => collection.findOneAndReplace(toWrite(filter), replacement, each)),
    findOneAndDelete: (filter, options) => changed(options, (each) => collection.findOneAndDelete(toWrite(filter), each)),

    async watch(signal) {
      if (possible.length === 0) throw refuse(`no matching role found for ${namespace}`)
      return seenChanges(await collection.watch(signal), (document) => read(document, []))
    },
  }

  /** Whether a role lets somebody read a field of some document, as far as that can be said without one. */
  function couldRead(role: RoleFile, path: string): boolean {
    const isOpen = (expression: Expression | undefined) => expression !== undefined && expression !== false
    if (isOpen(role.read) || isOpen(role.write)) return true
    let fields = role.fields
    let others: { readonly read?: Expression; readonly write?: Expression; readonly fields?: RoleFile['fields'] } | undefined =
      role.additional_fields
    for (const name of path.split('.')) {
      const rule = fields && Object.hasOwn(fields, name) ? fields[name] : others
      if (!rule) return false
      if (isOpen(rule.read) || isOpen(rule.write)) return true
      fields = rule.fields
      others = undefined
    }
    return false
  }
}

/** Changes of documents that may be read. That one is gone is told to those who were told of it before. */
async function* seenChanges(
  changes: AsyncIterable<DocumentChange>,
  read: (document: Document) => Document | undefined,
): AsyncGenerator<DocumentChange> {
  const told = new Set<string>()
  for await (const change of changes) {
    const key = keyOf(change.documentKey._id)
    if (change.operationType === 'delete') {
      if (told.delete(key)) yield change
      continue
    }
    const seen = change.fullDocument && read(change.fullDocument)
    if (!seen) continue
    if (told.size < mostDocuments) told.add(key)
    const { updateDescription, ...rest } = change
    const fields = Object.entries(updateDescription?.updatedFields ?? {}).filter(([path]) => valueAt(seen, path) !== undefined)
    yield {
      ...rest,
      fullDocument: seen,
      ...(updateDescription && {
        updateDescription: { updatedFields: Object.fromEntries(fields), removedFields: updateDescription.removedFields },
      }),
    }
  }
}

/** The fields that a filter speaks of. @throws what `refuse` makes, for operators that speak of any */
function pathsOf(filter: Document, refuse: Refuse): readonly string[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (['$and', '$or', '$nor'].includes(name))
      return Array.isArray(value) ? value.flatMap((each) => (isPlain(each) ? pathsOf(each, refuse) : [])) : []
    if (name.startsWith('$') && name !== '$comment') throw refuse(`the operator ${name} is not permitted where rules apply`)
    return name === '$comment' ? [] : [name]
  })
}

/** The names of all stages, those in `$facet` and further in too. */
function stagesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(stagesOf)
  if (!isPlain(value)) return []
  return Object.entries(value).flatMap(([name, below]) => [name, ...stagesOf(below)])
}
