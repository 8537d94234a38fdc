import { describe } from 'vitest'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { tempDir } from '../support/temp.ts'
import { opening } from './contract.ts'
import { storeContract } from './stores.ts'

describe('SQLite', () => storeContract(opening(tempDir, openSqlite)))
