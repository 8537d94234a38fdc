/** Custom user data that somebody who manages users writes: the whole document, and only in place of the one that they have seen. */
import { hash } from 'node:crypto'
import { EJSON, ObjectId } from 'bson'
import { DomainError } from '#src/base/errors.ts'
import type { AppView } from '../apps/app.ts'
import type { Actor, AuditStore } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { DataSource, Document } from '../documents/store.ts'
import type { CustomDataOf } from './customData.ts'
import { plainJson } from './plain.ts'

/** Somebody else has written the document since it was seen. Nothing was changed. */
export class CustomDataConflict extends DomainError {
  readonly code = 'custom_data.conflict'
  constructor() {
    super('somebody else has written this document meanwhile')
  }
}

/** The document would not be found as that of the user any more. */
class CustomDataMisplaced extends DomainError {
  readonly code = 'custom_data.misplaced'
  readonly userIdField: string
  constructor(field: string) {
    super(`${field} must be the id of the user, and _id must stay what it is`)
    this.userIdField = field
  }
}

export interface CustomDataEditingDeps {
  readonly dataSource: Pick<DataSource, 'collection'>
  readonly customDataOf: CustomDataOf
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
}

/** A document as somebody has seen it. */
export interface SeenDocument {
  readonly document?: Document
  /** Stands for just this document; empty where there is none. */
  readonly mark: string
  /** How long it is as plain JSON, as a token carries it. */
  readonly bytes: number
}

export type CustomDataEditing = ReturnType<typeof createCustomDataEditing>

const markOf = (document: Document | null | undefined) =>
  document ? hash('sha256', EJSON.stringify(document, { relaxed: false }), 'base64url') : ''

export function createCustomDataEditing({ dataSource, customDataOf, audit, recorder }: CustomDataEditingDeps) {
  return {
    /** The document that an app keeps of a user, of which custom user data is switched on. @throws StoreUnavailable */
    async read(view: AppView, userId: string): Promise<SeenDocument> {
      const { document } = await customDataOf(view, userId)
      return { ...(document && { document }), mark: markOf(document), bytes: document ? Buffer.byteLength(plainJson(document)) : 0 }
    },

    /**
     * Puts `document` in place of the one with the mark `seen`.
     * @throws CustomDataConflict, CustomDataMisplaced, DocumentsRefused, StoreUnavailable
     */
    async write(view: AppView, userId: string, document: Document, seen: string, actor: Actor): Promise<void> {
      const { customUserData } = view.configuration
      if (!customUserData) throw new TypeError('custom user data is switched off')
      const { database, collection, userIdField: field } = customUserData
      if (String(document[field]) !== userId) throw new CustomDataMisplaced(field)
      const current = (await customDataOf(view, userId)).document
      if (current && document._id !== undefined && String(document._id) !== String(current._id)) throw new CustomDataMisplaced(field)
      const { _id, ...rest } = document
      // What was read is looked at again while nobody else can write it.
      const guard = (before: Document | undefined) => {
        if (markOf(before) !== seen) throw new CustomDataConflict()
      }
      const filter = current ? { _id: current._id } : { [field]: { $in: [userId, new ObjectId(userId)] } }
      const replacement = current || _id === undefined ? rest : document
      const { matchedCount, upsertedId } = await dataSource
        .collection(database, collection)
        .replaceOne(filter, replacement, { guard, upsert: !current })
      if (matchedCount === 0 && upsertedId === undefined) throw new CustomDataConflict()
      const facts = { app: view.app.id, bytes: Buffer.byteLength(plainJson(document)) }
      await audit.record([recorder.event('custom_data.changed', actor, { kind: 'user', id: userId }, facts)])
    },
  }
}
