import type { DataSource, DocumentCollection } from './store.ts'

/** A data source that is opened when somebody first wants something of it: most installations have no app. */
export function lazyDataSource(open: () => Promise<DataSource>): Pick<DataSource, 'collection' | 'close'> {
  let opening: Promise<DataSource> | undefined

  function opened(): Promise<DataSource> {
    opening ??= open().catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }

  return {
    collection: (database, name) =>
      new Proxy({} as DocumentCollection, {
        get:
          (_, method: keyof DocumentCollection) =>
          async (...parameters: readonly unknown[]) => {
            const collection = (await opened()).collection(database, name)
            return (collection[method] as (...given: readonly unknown[]) => unknown)(...parameters)
          },
      }),
    async close() {
      await (await opening)?.close()
    },
  }
}
