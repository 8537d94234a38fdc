/** The stores that tests run on: each entry makes a new, empty one and answers its `DOSSIER_STORE`. */
import { tempDir } from './temp.ts'

export interface TestStore {
  readonly name: string
  make(): string | Promise<string>
}

export const testStores: readonly TestStore[] = [{ name: 'SQLite', make: () => `sqlite:${tempDir()}` }]
