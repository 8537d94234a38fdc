import type { Document } from 'bson'
import type { DataSource } from '#src/domain/documents/store.ts'

export type DocumentsAddress = { readonly kind: 'sqlite'; readonly directory: string } | { readonly kind: 'mongodb'; readonly url: string }

/** Opens the data source of App Services apps: documents beside the embedded store, or somebody's MongoDB. @throws CannotStart */
export async function openDocuments(address: DocumentsAddress): Promise<DataSource> {
  if (address.kind === 'sqlite') return (await import('./sqlite/documents/open.ts')).openEmbedded(address.directory)
  return (await import('./mongo/documents.ts')).openMongoDocuments(address.url)
}

/** Whether something passes a filter in MongoDB's language, whichever store is open. @throws DocumentsRefused */
export async function createMatcher(filter: Document): Promise<(value: object) => boolean> {
  const [{ matcherOf }, { plainOf }] = await Promise.all([import('./sqlite/documents/language.ts'), import('./sqlite/documents/values.ts')])
  const matches = matcherOf(filter)
  return (value) => matches(plainOf(value))
}
