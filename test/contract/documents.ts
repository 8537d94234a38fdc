import { Binary, Decimal128, type Document, Double, Int32, Long, ObjectId } from 'bson'
import { expect, test } from 'vitest'
import { keyOf } from '#src/base/bson.ts'
import { DocumentsRefused } from '#src/domain/documents/failures.ts'
import type { DataSource, DocumentChange } from '#src/domain/documents/store.ts'

interface OpenedSource extends DataSource, AsyncDisposable {
  /** Opens the same once more, as another process would. */
  again(): Promise<OpenedSource>
}

export type OpenSource = () => Promise<OpenedSource>

/** Turns what opens a data source at an address into what opens new ones. */
export function openingSource(newAddress: () => string, open: (address: string) => Promise<DataSource>): OpenSource {
  const at = async (address: string): Promise<OpenedSource> => {
    const source = await open(address)
    // Tests share a server: what they call `app` is a database of their own.
    const own = /^mongodb.*\/([^/?]+)(?:\?|$)/.exec(address)?.[1] ?? 'app'
    return {
      ...source,
      collection: (database, name) => source.collection(database === 'app' ? own : database, name),
      again: () => at(address),
      [Symbol.asyncDispose]: () => source.close(),
    }
  }
  return () => at(newAddress())
}

/** Without the types of numbers, which are what they were written as. */
const plain = (value: unknown): unknown => {
  const { _bsontype: type } = (value ?? {}) as { readonly _bsontype?: string }
  if (type === 'Int32' || type === 'Double' || type === 'Long') return Number(String(value))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null && !('_bsontype' in value) && !(value instanceof Date)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
  }
  return value
}

export function documentsContract(open: OpenSource): void {
  test('documents come back with their types, and get an id', async () => {
    await using source = await open()
    const things = source.collection('app', 'things')
    const document = {
      _id: new ObjectId(),
      int: new Int32(1),
      double: new Double(2),
      long: Long.fromString('9007199254740993'),
      decimal: Decimal128.fromString('1.50'),
      bytes: new Binary(Buffer.from('abc')),
      at: new Date(0),
      none: null,
      list: [new Int32(1), { a: 'b' }],
      text: 'ключ',
    }
    expect(await things.insertOne(document)).toEqual({ insertedId: document._id })
    expect(await things.findOne({ _id: document._id })).toEqual(document)
    const { insertedId } = await things.insertOne({ a: 1 })
    expect(insertedId).toMatchObject({ _bsontype: 'ObjectId' })
    await things.updateOne({ _id: document._id }, { $set: { text: 'other' } })
    expect(await things.findOne({ _id: document._id })).toEqual({ ...document, text: 'other' })
    expect(await things.findOne({ _id: new ObjectId() })).toBeNull()
  })

  test('filters, order, parts and counts are those of MongoDB', async () => {
    await using source = await open()
    const things = source.collection('app', 'things')
    await things.insertMany([3, 1, 2].map((n) => ({ _id: `t${n}`, n, tags: [`t${n}`, 'all'], in: { side: n * 10 } })))
    const ids = async (filter: Document, options?: object) => (await things.find(filter, options)).map(({ _id }) => _id)
    expect(await ids({})).toEqual(['t3', 't1', 't2'])
    expect(await ids({ n: { $gt: 1 } }, { sort: { n: 1 } })).toEqual(['t2', 't3'])
    expect(await ids({ tags: 'all' }, { sort: { n: -1 }, skip: 1, limit: 1 })).toEqual(['t2'])
    expect(await ids({ $or: [{ n: 1 }, { 'in.side': 30 }] })).toEqual(['t3', 't1'])
    expect(await ids({ _id: { $in: ['t1', 't2', 'none'] } })).toEqual(['t1', 't2'])
    expect(await things.count({ n: { $lt: 3 } })).toBe(2)
    expect((await things.distinct('tags')).toSorted()).toEqual(['all', 't1', 't2', 't3'])
    expect(plain(await things.find({ n: 1 }, { projection: { n: 1, _id: 0 } }))).toEqual([{ n: 1 }])
    expect(plain(await things.aggregate([{ $match: { n: { $gte: 2 } } }, { $group: { _id: null, sum: { $sum: '$n' } } }]))).toEqual([
      { _id: null, sum: 5 },
    ])
  })

  test('an id as text is another one than as ObjectId, and text comes first', async () => {
    await using source = await open()
    const users = source.collection('app', 'users')
    const id = new ObjectId()
    await users.ensureIndex('user_id')
    expect(await users.hasIndex('user_id')).toBe(true)
    expect(await users.hasIndex('other')).toBe(false)
    await users.insertMany([
      { _id: 'a', user_id: id },
      { _id: 'b', user_id: id.toHexString() },
      { _id: 'c', user_id: id.toHexString() },
    ])
    const either = { user_id: { $in: [id.toHexString(), id] } }
    expect((await users.find({ user_id: id })).map(({ _id }) => _id)).toEqual(['a'])
    expect((await users.findOne(either, { sort: { user_id: 1, _id: 1 } }))?._id).toBe('b')
    await users.deleteMany({ user_id: id.toHexString() })
    expect((await users.findOne(either, { sort: { user_id: 1, _id: 1 } }))?._id).toBe('a')
  })

  test('updates: operators, upserts, filters of lists, pipelines, replacements', async () => {
    await using source = await open()
    const things = source.collection('app', 'things')
    await things.insertMany([
      { _id: 1, n: 1, list: [{ a: 1 }, { a: 2 }] },
      { _id: 2, n: 1 },
    ])
    expect(await things.updateMany({ n: 1 }, { $inc: { n: 1 } })).toEqual({ matchedCount: 2, modifiedCount: 2 })
    expect(await things.updateOne({ _id: 2 }, { $set: { n: 2 } })).toEqual({ matchedCount: 1, modifiedCount: 0 })
    expect(await things.updateOne({ _id: 9 }, { $set: { n: 2 } })).toEqual({ matchedCount: 0, modifiedCount: 0 })
    await things.updateOne({ _id: 1 }, { $set: { 'list.$[x].a': 5 } }, { arrayFilters: [{ 'x.a': 2 }] })
    expect(plain((await things.findOne({ _id: 1 }))?.list)).toEqual([{ a: 1 }, { a: 5 }])
    const { upsertedId } = await things.updateOne({ key: 'k' }, { $set: { n: 7 }, $setOnInsert: { made: true } }, { upsert: true })
    expect(await things.findOne({ _id: upsertedId })).toMatchObject({ key: 'k', made: true })
    await things.updateOne({ key: 'k' }, { $set: { n: 8 }, $setOnInsert: { made: false } }, { upsert: true })
    expect(plain(await things.findOne({ key: 'k' }))).toMatchObject({ n: 8, made: true })
    expect(await things.replaceOne({ _id: 2 }, { fresh: true })).toEqual({ matchedCount: 1, modifiedCount: 1 })
    expect(plain(await things.findOne({ _id: 2 }))).toEqual({ _id: 2, fresh: true })
    await expect(things.updateOne({ _id: 2 }, { $set: { _id: 3 } })).rejects.toThrow(DocumentsRefused)
    await expect(things.updateOne({ _id: 2 }, { n: 3 })).rejects.toThrow(DocumentsRefused)
  })

  test('one is found and changed at once', async () => {
    await using source = await open()
    const things = source.collection('app', 'things')
    await things.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ])
    const sort = { n: -1 } as const
    expect(plain(await things.findOneAndUpdate({}, { $inc: { n: 10 } }, { sort }))).toEqual({ _id: 2, n: 2 })
    expect(plain(await things.findOneAndUpdate({ _id: 2 }, { $inc: { n: 1 } }, { returnNewDocument: true, projection: { n: 1 } }))).toEqual(
      {
        _id: 2,
        n: 13,
      },
    )
    expect(plain(await things.findOneAndReplace({ _id: 1 }, { m: 1 }, { returnNewDocument: true }))).toEqual({ _id: 1, m: 1 })
    expect(plain(await things.findOneAndDelete({ _id: 1 }))).toEqual({ _id: 1, m: 1 })
    expect(await things.findOneAndDelete({ _id: 1 })).toBeNull()
    const made = await things.findOneAndUpdate({ _id: 5 }, { $set: { n: 1 } }, { upsert: true, returnNewDocument: true })
    expect(plain(made)).toEqual({ _id: 5, n: 1 })
    expect(await things.deleteMany({})).toEqual({ deletedCount: 2 })
  })

  test('what a guard refuses leaves nothing, in the middle of many too', async () => {
    await using source = await open()
    const things = source.collection('app', 'things')
    await things.insertMany([1, 2, 3].map((n) => ({ _id: n, n })))
    const no = (wrong: number) => (before: Document | undefined, after: Document | undefined) => {
      if (Number((before ?? after)?.n) === wrong) throw new Error('not this one')
    }
    const all = async () => plain(await things.find({}, { sort: { _id: 1 } }))
    const before = await all()
    await expect(things.updateMany({}, { $inc: { n: 10 } }, { guard: no(2) })).rejects.toThrow('not this one')
    await expect(things.deleteMany({}, { guard: no(3) })).rejects.toThrow('not this one')
    await expect(things.insertMany([{ n: 8 }, { n: 9 }], { guard: no(9) })).rejects.toThrow('not this one')
    await expect(things.updateOne({ _id: 7 }, { $set: { n: 9 } }, { upsert: true, guard: no(9) })).rejects.toThrow('not this one')
    expect(await all()).toEqual(before)
    await things.updateMany({}, { $inc: { n: 10 } }, { guard: no(99) })
    expect((await all()) as unknown[]).toEqual([1, 2, 3].map((n) => ({ _id: n, n: n + 10 })))
  })

  test('a guard is told of each document by itself, also where ids read alike', async () => {
    await using source = await open()
    const things = source.collection('app', 'things')
    const id = new ObjectId()
    await things.insertMany([id.toHexString(), id, 1, '1'].map((each) => ({ _id: each, list: [1, 2], n: 0 })))
    const told: unknown[] = []
    const guard = (before: Document | undefined, after: Document | undefined) => {
      expect(after?._id).toEqual(before?._id)
      told.push(`${typeof (before?._id as { toHexString?: unknown })} ${before?._id}`)
    }
    await things.updateMany({}, { $inc: { n: 1 } }, { guard })
    expect(told.toSorted()).toEqual([`object ${id}`, `string ${id}`, 'object 1', 'string 1'].toSorted())
    told.length = 0
    await things.updateOne({ _id: id.toHexString(), list: 2 }, { $set: { 'list.$': 3 } }, { guard })
    expect(told).toEqual([`string ${id}`])
    expect(plain((await things.findOne({ _id: id.toHexString() }))?.list)).toEqual([1, 3])
    const refusing = (before: Document | undefined) => {
      if (keyOf(before?._id) === keyOf(id)) throw new Error('not this one')
    }
    await expect(things.deleteMany({ _id: { $in: [id, id.toHexString()] } }, { guard: refusing })).rejects.toThrow('not this one')
    expect(await things.updateOne({ _id: 'none' }, { $set: { n: 1 } }, { guard })).toEqual({ matchedCount: 0, modifiedCount: 0 })
    expect(await things.count({})).toBe(4)
  })

  test('what is wrong is refused: a key twice, unknown operators, code, odd names', async () => {
    await using source = await open()
    const things = source.collection('app', 'things')
    await things.insertOne({ _id: 'a' })
    await expect(things.insertOne({ _id: 'a' })).rejects.toMatchObject({ number: 11000, message: expect.stringContaining('E11000') })
    await expect(things.insertMany([{ _id: 'b' }, { _id: 'a' }])).rejects.toThrow(DocumentsRefused)
    expect(await things.findOne({ _id: 'b' })).toBeNull()
    await expect(things.find({ a: { $nope: 1 } })).rejects.toThrow(DocumentsRefused)
    await expect(things.find({ $where: 'true' })).rejects.toThrow(DocumentsRefused)
    await expect(things.aggregate([{ $out: 'x' }])).rejects.toThrow(DocumentsRefused)
    await expect(things.aggregate([{ $facet: { a: [{ $merge: { into: 'x' } }] } }])).rejects.toThrow(DocumentsRefused)
    expect(() => source.collection('a b', 'things')).toThrow(DocumentsRefused)
    const odd = JSON.parse('{"_id":"odd","__proto__":{"polluted":true},"constructor":1,"toString":"x"}')
    await things.insertOne(odd)
    expect(Object.hasOwn((await things.findOne({ _id: 'odd' })) ?? {}, '__proto__')).toBe(true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('changes at once add up, from two processes too', async () => {
    await using source = await open()
    await using other = await source.again()
    await source.collection('app', 'things').insertOne({ _id: 'counter', n: 0 })
    const places = [source, other].map((each) => each.collection('app', 'things'))
    await Promise.all(Array.from({ length: 20 }, (_, index) => places[index % 2]?.updateOne({ _id: 'counter' }, { $inc: { n: 1 } })))
    expect(Number((await source.collection('app', 'things').findOne({ _id: 'counter' }))?.n)).toBe(20)
  })

  test('whoever watches sees what changes, by another process too', async () => {
    await using source = await open()
    await using other = await source.again()
    const ending = new AbortController()
    const things = source.collection('app', 'things')
    await things.insertOne({ _id: 'before' })
    const changes = await things.watch(ending.signal)
    const seen: DocumentChange[] = []
    const watching = (async () => {
      for await (const change of changes) {
        seen.push(change)
        if (seen.length === 3) ending.abort()
      }
    })()
    await other.collection('app', 'things').insertOne({ _id: 'a', n: 1 })
    await other.collection('app', 'elsewhere').insertOne({ _id: 'a', n: 1 })
    await things.updateOne({ _id: 'a' }, { $set: { n: 2 } })
    await things.deleteOne({ _id: 'a' })
    await watching
    expect(seen.map(({ operationType }) => operationType)).toEqual(['insert', 'update', 'delete'])
    expect(plain(seen[1])).toMatchObject({
      ns: { coll: 'things' },
      documentKey: { _id: 'a' },
      updateDescription: { updatedFields: { n: 2 } },
    })
  }, 20_000)
}
