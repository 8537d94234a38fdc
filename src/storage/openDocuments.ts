import type { DataSource } from '#src/domain/documents/store.ts'

export type DocumentsAddress = { readonly kind: 'sqlite'; readonly directory: string } | { readonly kind: 'mongodb'; readonly url: string }

/** Opens the data source of App Services apps: documents beside the embedded store, or somebody's MongoDB. @throws CannotStart */
export async function openDocuments(address: DocumentsAddress): Promise<DataSource> {
  if (address.kind === 'sqlite') return (await import('./sqlite/documents/open.ts')).openEmbedded(address.directory)
  return (await import('./mongo/documents.ts')).openMongoDocuments(address.url)
}
