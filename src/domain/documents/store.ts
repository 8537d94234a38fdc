/**
 * Documents: the linked data source of App Services apps (`mongodb-atlas`): collections of BSON documents that belong to the applications, not to
 * Dossier. Behind it is an application's own MongoDB, or the embedded document store.
 *
 * Owns nothing of what is in the documents. Who may do what with them is for the rules to say, which come in as a `Guard`.
 */
import type { Document } from 'bson'

export type { Document } from 'bson'

/** 1 ascending, -1 descending, in the order of the keys. */
export type Sort = Readonly<Record<string, 1 | -1>>

export interface FindOptions {
  readonly projection?: Document
  readonly sort?: Sort
  readonly limit?: number
  readonly skip?: number
}

/** Judges one change before it is kept: `before` is absent for an insert, `after` for a delete. It throws what the caller is to be told, and then nothing of the operation is kept. */
export type Guard = (before: Document | undefined, after: Document | undefined) => void

interface WriteOptions {
  readonly guard?: Guard
}

export interface UpdateOptions extends WriteOptions {
  readonly upsert?: boolean
  readonly arrayFilters?: readonly Document[]
}

export interface FindAndChangeOptions extends UpdateOptions {
  readonly projection?: Document
  readonly sort?: Sort
  /** Whether the answer is the document after the change; the one before it otherwise. */
  readonly returnNewDocument?: boolean
}

export interface Updated {
  readonly matchedCount: number
  readonly modifiedCount: number
  /** Of the document that an upsert made. */
  readonly upsertedId?: unknown
}

/** A change as MongoDB's change streams tell it, with the whole document where there is one. */
export interface DocumentChange {
  readonly operationType: 'insert' | 'update' | 'replace' | 'delete'
  /** Where the stream may go on after this change. */
  readonly _id: Document
  readonly ns: { readonly db: string; readonly coll: string }
  readonly documentKey: { readonly _id: unknown }
  readonly fullDocument?: Document
  readonly updateDescription?: { readonly updatedFields: Document; readonly removedFields: readonly string[] }
}

/**
 * One collection, which is there as soon as something is in it. Filters, projections, updates (operators, or a pipeline) and pipelines are MongoDB's; documents are BSON
 * (types of the package `bson`; a document without `_id` gets an `ObjectId`).
 *
 * Every method throws `DocumentsRefused` for what the data source does not take (an unknown operator, a duplicate key), and `StoreUnavailable`.
 */
export interface DocumentCollection {
  find(filter: Document, options?: FindOptions): Promise<Document[]>
  findOne(filter: Document, options?: Omit<FindOptions, 'limit'>): Promise<Document | null>
  count(filter: Document, options?: { readonly limit?: number; readonly skip?: number }): Promise<number>
  distinct(field: string, filter?: Document): Promise<unknown[]>
  aggregate(pipeline: readonly Document[]): Promise<Document[]>
  insertOne(document: Document, options?: WriteOptions): Promise<{ readonly insertedId: unknown }>
  /** All or none. */
  insertMany(documents: readonly Document[], options?: WriteOptions): Promise<{ readonly insertedIds: readonly unknown[] }>
  updateOne(filter: Document, update: Document | readonly Document[], options?: UpdateOptions): Promise<Updated>
  /** All or none. */
  updateMany(filter: Document, update: Document | readonly Document[], options?: UpdateOptions): Promise<Updated>
  replaceOne(filter: Document, replacement: Document, options?: UpdateOptions): Promise<Updated>
  deleteOne(filter: Document, options?: WriteOptions): Promise<{ readonly deletedCount: number }>
  /** All or none. */
  deleteMany(filter: Document, options?: WriteOptions): Promise<{ readonly deletedCount: number }>
  findOneAndUpdate(filter: Document, update: Document | readonly Document[], options?: FindAndChangeOptions): Promise<Document | null>
  findOneAndReplace(filter: Document, replacement: Document, options?: FindAndChangeOptions): Promise<Document | null>
  findOneAndDelete(filter: Document, options?: FindAndChangeOptions): Promise<Document | null>
  /** Whether there is an index that begins with `field`. */
  hasIndex(field: string): Promise<boolean>
  /** Makes an index over one field, if there is none. */
  ensureIndex(field: string): Promise<void>
  /** A number that is another one after every change, by whichever process; `undefined` where nobody can say without looking. */
  revision(): Promise<number | undefined>
  /** What changes from now on, by whichever process, until `signal` is aborted. Nothing is missed between the call and the first item. */
  watch(signal: AbortSignal): Promise<AsyncIterable<DocumentChange>>
}

/** A data source. */
export interface DataSource {
  /** For people: what it is and where, without credentials. */
  readonly description: string
  collection(database: string, name: string): DocumentCollection
  close(): Promise<void>
}
