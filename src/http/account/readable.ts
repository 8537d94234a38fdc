/** What is kept of somebody, as they read it, and as much of it as a page can carry. */

import type { KnownByApp } from '#src/domain/apps/known.ts'
import { guessValue } from '#src/domain/metadata/kind.ts'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import type { User } from '#src/domain/users/user.ts'
import { pageBudget, weightOf } from '../kit/pageWeight.ts'

const shownCharacters = 400
const shownImageBytes = 6000
const shownDocumentCharacters = 2000
/** Bytes of all that is kept of somebody in a page. */
const shownBytes = 36_000
/** Bytes of markup around an entry of metadata, and around a document. */
const rowBytes = 700
const documentBytes = 400

/** A value as a person reads it: of one that is long, the beginning. */
function readableEntry({ key, value, changedAt }: MetadataEntry) {
  const { kind, text, type } = guessValue(value)
  const isShown = type !== undefined && value.byteLength <= shownImageBytes
  return {
    key,
    kind,
    changedAt,
    bytes: value.byteLength,
    text: text?.slice(0, shownCharacters),
    isCut: text !== undefined && text.length > shownCharacters,
    image: isShown ? `data:${type};base64,${Buffer.from(value).toString('base64')}` : undefined,
  }
}

/** A document as a person reads it. */
function readableJson(document: unknown): { readonly text: string; readonly isCut: boolean } {
  const text = JSON.stringify(document, undefined, 2)
  return { text: text.slice(0, shownDocumentCharacters), isCut: text.length > shownDocumentCharacters }
}

/** The key stands in links and labels, too. */
const weightOfEntry = ({ key, text = '', image = '' }: ReturnType<typeof readableEntry>) =>
  rowBytes + 4 * weightOf(key) + weightOf(text) + image.length

const weightOfDocument = ({ json }: { readonly json: { readonly text: string } }) => documentBytes + weightOf(json.text)

/** Metadata, and what providers and apps know of somebody: the first of each, and how many there are more. Whoever has many keys sees what others know all the same. */
export function readableData(user: User, metadata: readonly MetadataEntry[], apps: readonly KnownByApp[]) {
  const identities = (user.identities ?? []).map((identity) => ({ ...identity, json: readableJson(identity.data) }))
  const documents = apps
    .filter(({ document }) => document !== undefined)
    .map(({ app, document }) => ({ app, json: readableJson(document) }))
  const half = pageBudget(shownBytes / 2)
  const told = { identities: half.take(identities, weightOfDocument), documents: half.take(documents, weightOfDocument) }
  const entries = pageBudget(shownBytes / 2 + half.left()).take(metadata.map(readableEntry), weightOfEntry)
  return {
    ...told,
    entries,
    more: metadata.length - entries.length,
    moreTold: identities.length + documents.length - told.identities.length - told.documents.length,
  }
}
