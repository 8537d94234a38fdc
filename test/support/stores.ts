/** The stores that tests run on: each entry makes a new, empty one and answers its `DOSSIER_STORE`. MongoDB is there where the machine has one. */
import { findMongodb } from './mongodb.ts'
import { tempDir } from './temp.ts'

export interface TestStore {
  readonly name: string
  make(): string
}

const mongodb = await findMongodb()

export const testStores: readonly TestStore[] = [
  { name: 'SQLite', make: () => `sqlite:${tempDir()}` },
  ...(mongodb ? [{ name: 'MongoDB', make: () => mongodb.newDatabase() }] : []),
]
