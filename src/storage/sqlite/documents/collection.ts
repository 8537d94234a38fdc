import type { Document } from 'bson'
import { keyOf } from '#src/base/bson.ts'
import { DocumentsRefused } from '#src/domain/documents/failures.ts'
import type {
  DocumentChange,
  DocumentCollection,
  FindAndChangeOptions,
  FindOptions,
  Guard,
  Sort,
  Updated,
} from '#src/domain/documents/store.ts'
import type { Database } from '../database.ts'
import { type Changes, differenceOf, newId } from './changes.ts'
import { aggregated, matcherOf, seedOf, updated } from './language.ts'
import { bodyOf, isPlainObject, keysAt, plainOf, retyped, Stored, typedOf } from './values.ts'

interface Row {
  readonly number: number
  readonly body: Uint8Array
}

/** One collection of the embedded document store. What is read is read in one turn; what is written is one transaction. */
export function createCollection(
  { database, changes, known }: { readonly database: Database; readonly changes: Changes; readonly known: Map<string, readonly string[]> },
  databaseName: string,
  name: string,
): DocumentCollection {
  const namespace = `${databaseName}.${name}`

  const indexed = () =>
    database.all<{ field: string }>('SELECT field FROM indexes WHERE collection = ?', namespace).map(({ field }) => field)

  /** The same for reading: an index is never taken away, and one that another process has just made need not be known. */
  function readable(): readonly string[] {
    const fields = known.get(namespace) ?? indexed()
    if (fields.length > 0) known.set(namespace, fields)
    return fields
  }

  /** The rows that a filter may find, in the order in which they came: by an index where it names a value of a field that has one. */
  function* rowsFor(filter: Document, at = namespace): Generator<Row> {
    const ids = valuesFor(filter, '_id')
    if (ids) {
      const sql = 'SELECT number, body FROM documents WHERE collection = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY number'
      yield* database.all<Row>(sql, at, JSON.stringify(ids))
      return
    }
    for (const field of readable()) {
      const values = valuesFor(filter, field)
      if (!values) continue
      const sql = `SELECT number, body FROM documents WHERE number IN
        (SELECT document FROM entries WHERE collection = ? AND field = ? AND value IN (SELECT value FROM json_each(?))) ORDER BY number`
      yield* database.all<Row>(sql, at, field, JSON.stringify(values))
      return
    }
    yield* everyRow(at)
  }

  /** A page at a time: a collection may be larger than memory. */
  function* everyRow(at: string): Generator<Row> {
    for (let after = 0; ; ) {
      const rows = database.all<Row>(
        'SELECT number, body FROM documents WHERE collection = ? AND number > ? ORDER BY number LIMIT 500',
        at,
        after,
      )
      yield* rows
      const last = rows.at(-1)
      if (!last || rows.length < 500) return
      after = last.number
    }
  }

  function* matching(filter: Document): Generator<Stored> {
    const matches = isAnsweredByIndex(filter) ? undefined : matcherOf(filter)
    for (const { number, body } of rowsFor(filter)) {
      const stored = new Stored(body, number)
      if (!matches || matches(stored.plain)) yield stored
    }
  }

  /** A filter that says what one field with an index has to be, and nothing else. */
  function isAnsweredByIndex(filter: Document): boolean {
    const [field = '', ...others] = Object.keys(filter)
    if (others.length > 0 || !valuesFor(filter, field)) return false
    const wanted: unknown = filter[field]
    return (!isPlainObject(wanted) || Object.keys(wanted).length === 1) && (field === '_id' || readable().includes(field))
  }

  /** Those that a filter finds, in order, as many as are asked for. */
  function select(filter: Document, { sort, skip = 0, limit = 0 }: Omit<FindOptions, 'projection'>): readonly Stored[] {
    const end = limit === 0 ? Number.POSITIVE_INFINITY : skip + limit
    const found: Stored[] = []
    for (const each of matching(filter)) {
      found.push(each)
      if (!sort && found.length >= end) break
    }
    return sorted(found, sort).slice(skip, end)
  }

  function sorted(found: readonly Stored[], sort: Sort | undefined): readonly Stored[] {
    if (!sort || found.length < 2) return found
    const byDocument = new Map(found.map((each) => [each.plain, each]))
    return aggregated(
      found.map(({ plain }) => plain),
      [{ $sort: sort }],
      () => [],
    ).map((plain) => byDocument.get(plain) ?? (found.find((each) => keyOf(each.plain._id) === keyOf(plain._id)) as Stored))
  }

  function projected({ plain, typed }: Stored, projection: Document | undefined): Document {
    if (!projection || Object.keys(projection).length === 0) return typed
    const [document] = aggregated([plain], [{ $project: projection }], () => [])
    return retyped(document ?? {}, { plain, typed }) as Document
  }

  function putEntries(number: number, document: Document): void {
    for (const field of indexed()) {
      for (const key of keysAt(document, field.split('.'))) {
        database.run(
          'INSERT OR IGNORE INTO entries (collection, field, value, document) VALUES (?, ?, ?, ?)',
          namespace,
          field,
          key,
          number,
        )
      }
    }
  }

  function record(operationType: DocumentChange['operationType'], before: Document | undefined, after: Document | undefined): void {
    const change = {
      operationType,
      ns: { db: databaseName, coll: name },
      documentKey: { _id: (after ?? before)?._id },
      ...(after && { fullDocument: after }),
      ...(operationType === 'update' && before && after && { updateDescription: differenceOf(before, after) }),
    }
    changes.record(namespace, bodyOf(change))
  }

  function insert(given: Document, guard: Guard | undefined): unknown {
    const document: Document = given._id === undefined ? { _id: newId(), ...given } : given
    if (Array.isArray(document._id)) throw new DocumentsRefused("can't use an array for _id", { number: 2 })
    const body = bodyOf(document)
    const typed = typedOf(body)
    guard?.(undefined, typed)
    const id = keyOf(typed._id)
    if (database.get('SELECT 1 FROM documents WHERE collection = ? AND id = ?', namespace, id)) {
      throw new DocumentsRefused(`E11000 duplicate key error collection: ${namespace} index: _id_ dup key: { _id: ${told(typed._id)} }`, {
        number: 11000,
      })
    }
    database.run('INSERT INTO documents (collection, id, body) VALUES (?, ?, ?)', namespace, id, body)
    const { number } = database.get<{ number: number }>('SELECT last_insert_rowid() AS number') as { number: number }
    putEntries(number, typed)
    record('insert', undefined, typed)
    return document._id
  }

  /** Puts `next` in the place of what was found; answers whether that is another document. */
  function replace(found: Stored, next: Document, kind: 'update' | 'replace', guard: Guard | undefined): Document {
    const body = bodyOf(next)
    const after = typedOf(body)
    if (keyOf(after._id) !== keyOf(found.typed._id)) {
      throw new DocumentsRefused("Performing an update on the path '_id' would modify the immutable field '_id'", { number: 66 })
    }
    guard?.(found.typed, after)
    if (Buffer.from(bodyOf(found.typed)).equals(body)) return found.typed
    database.run('UPDATE documents SET body = ? WHERE number = ?', body, found.number)
    database.run('DELETE FROM entries WHERE document = ?', found.number)
    putEntries(found.number, after)
    record(kind, found.typed, after)
    return after
  }

  function remove(found: Stored, guard: Guard | undefined): void {
    guard?.(found.typed, undefined)
    database.run('DELETE FROM documents WHERE number = ?', found.number)
    record('delete', found.typed, undefined)
  }

  type Change = (found: Stored) => Document

  const updating =
    (update: Document | readonly Document[], filter: Document, arrayFilters: readonly Document[] | undefined): Change =>
    (found) =>
      retyped(updated(found.plain, withoutSetOnInsert(update), { filter, arrayFilters }), found) as Document

  const replacing =
    (replacement: Document): Change =>
    ({ typed }) => {
      assertReplacement(replacement)
      const { _id = typed._id, ...rest } = replacement
      return { _id, ...rest }
    }

  function upsert(
    filter: Document,
    update: Document | readonly Document[] | undefined,
    replacement: Document | undefined,
    guard: Guard | undefined,
  ): unknown {
    const seed = seedOf(filter)
    if (replacement) {
      assertReplacement(replacement)
      return insert(seed._id === undefined ? replacement : { _id: seed._id, ...replacement }, guard)
    }
    const plain = plainOf(seed)
    const after = Array.isArray(update) ? updated(plain, update) : updated(plain, asInsert(update as Document))
    return insert(retyped(after, { plain, typed: seed }) as Document, guard)
  }

  function changeMany(
    filter: Document,
    change: Change,
    kind: 'update' | 'replace',
    options: { readonly limit?: number; readonly sort?: Sort; readonly guard?: Guard | undefined },
  ): { readonly counts: Updated; readonly first?: { readonly before: Stored; readonly after: Document } } {
    const found = select(filter, { limit: options.limit ?? 0, ...(options.sort && { sort: options.sort }) })
    let modifiedCount = 0
    let first: { readonly before: Stored; readonly after: Document } | undefined
    for (const each of found) {
      const after = replace(each, change(each), kind, options.guard)
      modifiedCount += after === each.typed ? 0 : 1
      first ??= { before: each, after }
    }
    return { counts: { matchedCount: found.length, modifiedCount }, ...(first && { first }) }
  }

  /** Changes the first that is found, or makes one; answers it before or after. */
  function findAndChange(
    filter: Document,
    change: Change,
    made: { readonly update?: Document | readonly Document[]; readonly replacement?: Document },
    options: FindAndChangeOptions,
  ): Document | null {
    const { first } = changeMany(filter, change, made.replacement ? 'replace' : 'update', {
      limit: 1,
      guard: options.guard,
      ...(options.sort && { sort: options.sort }),
    })
    const asked = (document: Stored) => projected(document, options.projection)
    if (first) return options.returnNewDocument ? asked(new Stored(bodyOf(first.after))) : asked(first.before)
    if (!options.upsert) return null
    const id = upsert(filter, made.update, made.replacement, options.guard)
    const [document] = options.returnNewDocument ? select({ _id: id }, { limit: 1 }) : []
    return document ? asked(document) : null
  }

  const isUnknown = (value: unknown) => !isPlainObject(value)
  function assertFilter(filter: Document): void {
    if (isUnknown(filter)) throw new DocumentsRefused('a filter must be a document')
  }

  function changing(
    filter: Document,
    change: Change,
    made: { readonly update?: Document | readonly Document[]; readonly replacement?: Document },
    {
      upsert: isUpsert = false,
      guard,
      limit,
    }: { readonly upsert?: boolean | undefined; readonly guard?: Guard | undefined; readonly limit?: number },
  ): Promise<Updated> {
    assertFilter(filter)
    return database.write(() => {
      const { counts } = changeMany(filter, change, made.replacement ? 'replace' : 'update', {
        guard,
        ...(limit !== undefined && { limit }),
      })
      if (counts.matchedCount > 0 || !isUpsert) return counts
      return { ...counts, upsertedId: upsert(filter, made.update, made.replacement, guard) }
    })
  }

  return {
    find: async (filter, { projection, ...options } = {}) =>
      database.read(() => select(filter, options).map((each) => projected(each, projection))),
    findOne: async (filter, { projection, ...options } = {}) =>
      database.read(() => {
        const [found] = select(filter, { ...options, limit: 1 })
        return found ? projected(found, projection) : null
      }),
    count: async (filter, options = {}) => database.read(() => select(filter, options).length),
    distinct: async (field, filter = {}) =>
      database.read(() => {
        const values = new Map<string, unknown>()
        for (const { typed } of matching(filter)) for (const value of valuesAt(typed, field.split('.'))) values.set(keyOf(value), value)
        return [...values.values()]
      }),
    aggregate: async (pipeline) =>
      database.read(() => {
        const [first, ...rest] = pipeline
        const isMatch = isPlainObject(first?.$match)
        const documents = [...matching(isMatch ? (first?.$match as Document) : {})].map(({ plain }) => plain)
        const other = (coll: string) => [...everyRow(`${databaseName}.${coll}`)].map(({ body }) => new Stored(body).plain)
        return aggregated(documents, isMatch ? rest : pipeline, other)
      }),

    insertOne: (document, { guard } = {}) => database.write(() => ({ insertedId: insert(document, guard) })),
    insertMany: (documents, { guard } = {}) => database.write(() => ({ insertedIds: documents.map((each) => insert(each, guard)) })),
    updateOne: async (filter, update, { arrayFilters, ...options } = {}) =>
      changing(filter, updating(update, filter, arrayFilters), { update }, { ...options, limit: 1 }),
    updateMany: async (filter, update, { arrayFilters, ...options } = {}) =>
      changing(filter, updating(update, filter, arrayFilters), { update }, options),
    replaceOne: async (filter, replacement, options = {}) =>
      changing(filter, replacing(replacement), { replacement }, { ...options, limit: 1 }),
    deleteOne: async (filter, { guard } = {}) => {
      assertFilter(filter)
      return database.write(() => {
        const found = select(filter, { limit: 1 })
        for (const each of found) remove(each, guard)
        return { deletedCount: found.length }
      })
    },
    deleteMany: async (filter, { guard } = {}) => {
      assertFilter(filter)
      return database.write(() => {
        const found = select(filter, {})
        for (const each of found) remove(each, guard)
        return { deletedCount: found.length }
      })
    },
    findOneAndUpdate: (filter, update, options = {}) =>
      database.write(() => findAndChange(filter, updating(update, filter, options.arrayFilters), { update }, options)),
    findOneAndReplace: (filter, replacement, options = {}) =>
      database.write(() => findAndChange(filter, replacing(replacement), { replacement }, options)),
    findOneAndDelete: (filter, { sort, projection, guard } = {}) =>
      database.write(() => {
        const [found] = select(filter, { limit: 1, ...(sort && { sort }) })
        if (!found) return null
        remove(found, guard)
        return projected(found, projection)
      }),

    revision: () => database.read(() => database.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")?.seq ?? 0),
    hasIndex: (field) => database.read(() => field === '_id' || indexed().includes(field)),
    ensureIndex: (field) =>
      database.write(() => {
        if (field === '_id' || indexed().includes(field)) return
        known.delete(namespace)
        database.run('INSERT INTO indexes (collection, field) VALUES (?, ?)', namespace, field)
        for (const { number, body } of everyRow(namespace)) {
          for (const key of keysAt(typedOf(body), field.split('.'))) {
            database.run(
              'INSERT OR IGNORE INTO entries (collection, field, value, document) VALUES (?, ?, ?, ?)',
              namespace,
              field,
              key,
              number,
            )
          }
        }
      }),
    watch: (signal) => changes.watch(namespace, signal),
  }
}

/** The values that a filter says a field has to have, as keys: `{ a: 1 }`, `{ a: { $eq: 1 } }`, `{ a: { $in: [1, 2] } }`, also as parts of `$and`. */
function valuesFor(filter: Document, field: string): readonly string[] | undefined {
  if (Object.hasOwn(filter, field)) {
    const wanted: unknown = filter[field]
    if (!isPlainObject(wanted)) return wanted instanceof RegExp || wanted === null || wanted === undefined ? undefined : [keyOf(wanted)]
    if (Object.hasOwn(wanted, '$eq') && wanted.$eq !== null && wanted.$eq !== undefined) return [keyOf(wanted.$eq)]
    if (Array.isArray(wanted.$in) && wanted.$in.every((each) => each !== null && !(each instanceof RegExp))) return wanted.$in.map(keyOf)
    return undefined
  }
  for (const part of Array.isArray(filter.$and) ? filter.$and : []) {
    const values = isPlainObject(part) ? valuesFor(part, field) : undefined
    if (values) return values
  }
  return undefined
}

function valuesAt(value: unknown, path: readonly string[]): readonly unknown[] {
  const [name, ...rest] = path
  if (name === undefined) return Array.isArray(value) ? value : value === undefined ? [] : [value]
  if (Array.isArray(value)) return value.flatMap((each) => valuesAt(each, path))
  return isPlainObject(value) && Object.hasOwn(value, name) ? valuesAt(value[name], rest) : []
}

/** Of an update what is done to a document that is there. */
function withoutSetOnInsert(update: Document | readonly Document[]): Document | readonly Document[] {
  if (Array.isArray(update) || !Object.hasOwn(update, '$setOnInsert')) return update
  const { $setOnInsert: _, ...rest } = update as Document
  return Object.keys(rest).length === 0 ? { $set: {} } : rest
}

/** Of an update what is done to a document that is made. */
function asInsert(update: Document): Document {
  if (!isPlainObject(update.$setOnInsert)) return update
  const { $setOnInsert, ...rest } = update
  return { ...rest, $set: { ...(rest.$set as Document | undefined), ...($setOnInsert as Document) } }
}

function assertReplacement(document: Document): void {
  if (Object.keys(document).some((name) => name.startsWith('$')))
    throw new DocumentsRefused('Replacement document must not contain atomic operators', { number: 9 })
}

const told = (id: unknown) =>
  typeof id === 'string'
    ? JSON.stringify(id)
    : typeof id === 'object' && id !== null && '_bsontype' in id && id._bsontype === 'ObjectId'
      ? `ObjectId('${String(id)}')`
      : String(id)
