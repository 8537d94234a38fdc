/**
 * Custom user data: one document of the application's own for each user, found by their id (contracts/app-services.md, section 1).
 *
 * Owns which document that is and what a token may carry of it. The documents are the application's: only its functions and clients write them.
 */
import { ObjectId } from 'bson'
import type { Clock } from '#src/base/clock.ts'
import type { AppView } from '../apps/app.ts'
import type { DataSource, Document } from '../documents/store.ts'
import { plainJson } from './plain.ts'

/** The custom user data of somebody at this moment. */
interface CustomData {
  /** The whole document with its BSON types. */
  readonly document?: Document
  /** The same as plain JSON, as a token carries it; absent when there is no document, or when it is too large. */
  readonly json?: string
  /** The document is larger than a token may carry. */
  readonly isOmitted?: boolean
}

/** Reads the document of a user in one indexed query. @throws StoreUnavailable */
export type CustomDataOf = (view: AppView, userId: string) => Promise<CustomData>

export interface IndexingDeps {
  readonly dataSource: Pick<DataSource, 'collection'>
  readonly now: Clock
  /** Called when the field that documents are found by has no index, and none could be made. */
  readonly onIndexMissing: (facts: {
    readonly app: string
    readonly collection: string
    readonly field: string
    readonly reason: string
  }) => void
}

export interface CustomDataDeps {
  readonly dataSource: Pick<DataSource, 'collection'>
  /** See `createIndexing`. */
  readonly index: (view: AppView) => Promise<void>
  /** How many bytes of JSON a token carries at most. */
  readonly mostBytes: number
  /** Called for a document that is larger than App Services advises. */
  readonly onLarge: (facts: { readonly app: string; readonly userId: string; readonly bytes: number; readonly isOmitted: boolean }) => void
}

/** App Services' advice: the document is in every request's header. */
const advisedBytes = 16 * 1024

const nothing: CustomData = {}

const mostKept = 500

type CustomUserData = NonNullable<AppView['configuration']['customUserData']>

/** Milliseconds until an index that could not be made is tried, and told of, again. */
const indexPause = 60_000

/** Makes the index by which documents of custom user data are found, where there is none yet: once for each configuration, by whoever comes first. */
export function createIndexing({ dataSource, now, onIndexMissing }: IndexingDeps): (view: AppView) => Promise<void> {
  /** When each is due again, by place. */
  const due = new Map<string, number>()
  return async ({ app, configuration: { customUserData } }) => {
    if (!customUserData) return
    const { database, collection, userIdField: field } = customUserData
    const key = `${database}.${collection}.${field}`
    if ((due.get(key) ?? 0) > now().getTime()) return
    due.set(key, Number.POSITIVE_INFINITY)
    try {
      const documents = dataSource.collection(database, collection)
      if (!(await documents.hasIndex(field))) await documents.ensureIndex(field)
    } catch (error) {
      due.set(key, now().getTime() + indexPause)
      onIndexMissing({ app: app.clientAppId, collection: `${database}.${collection}`, field, reason: (error as Error).message })
    }
  }
}

export function createCustomDataOf({ dataSource, index, mostBytes, onLarge }: CustomDataDeps): CustomDataOf {
  /** What was read last, of those who came last, by place and user: good until the data source says that something has changed. */
  const kept = new Map<string, { readonly revision: number; readonly found: CustomData }>()

  return async function customDataOf(view, userId) {
    const { customUserData } = view.configuration
    if (!customUserData) return nothing
    const { database, collection, userIdField: field } = customUserData
    const key = `${database}.${collection} ${field} ${userId}`
    // Before the document: a change in between makes what is kept old, never new.
    const revision = await dataSource.collection(database, collection).revision()
    const known = kept.get(key)
    if (known && known.revision === revision) return known.found
    const found = await read(view, userId, customUserData)
    kept.delete(key)
    if (revision !== undefined && (found.json?.length ?? 0) <= advisedBytes && !found.isOmitted) {
      const [oldest] = kept.size >= mostKept ? kept.keys() : []
      if (oldest !== undefined) kept.delete(oldest)
      kept.set(key, { revision, found })
    }
    return found
  }

  async function read(view: AppView, userId: string, place: CustomUserData): Promise<CustomData> {
    const { app } = view
    const { database, collection, userIdField: field } = place
    await index(view)
    // The text form comes before the ObjectId form, and of one form the document that was inserted first: in the order of BSON types both are so.
    const document = await dataSource
      .collection(database, collection)
      .findOne({ [field]: { $in: [userId, new ObjectId(userId)] } }, { sort: field === '_id' ? { _id: 1 } : { [field]: 1, _id: 1 } })
    if (!document) return nothing
    const json = plainJson(document)
    const bytes = Buffer.byteLength(json)
    const isOmitted = bytes > mostBytes
    if (bytes > advisedBytes) onLarge({ app: app.clientAppId, userId, bytes, isOmitted })
    return isOmitted ? { document, isOmitted } : { document, json }
  }
}
