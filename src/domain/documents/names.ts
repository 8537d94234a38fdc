import { DocumentsRefused } from './failures.ts'

/** The names that MongoDB takes, as far as they matter here. @throws DocumentsRefused */
export function assertNames(database: string, collection: string): void {
  if (!/^[^/\\. "$*<>:|?\0]{1,63}$/.test(database)) throw new DocumentsRefused(`Invalid database name: '${database}'`, { number: 73 })
  const isFine = collection !== '' && collection.length <= 200 && !/[$\0]/.test(collection) && !/^\.|\.$|\.\./.test(collection)
  if (!isFine || collection.startsWith('system.')) throw new DocumentsRefused(`Invalid collection name: '${collection}'`, { number: 73 })
}
