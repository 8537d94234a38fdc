import { isCollectionName, isDatabaseName } from '#src/base/forms.ts'
import { DocumentsRefused } from './failures.ts'

/** The names that MongoDB takes, as far as they matter here. @throws DocumentsRefused */
export function assertNames(database: string, collection: string): void {
  if (!isDatabaseName(database)) throw new DocumentsRefused(`Invalid database name: '${database}'`, { number: 73 })
  if (!isCollectionName(collection)) throw new DocumentsRefused(`Invalid collection name: '${collection}'`, { number: 73 })
}
