import { describe } from 'vitest'
import { openMongo } from '#src/storage/mongo/open.ts'
import { findMongodb } from '../support/mongodb.ts'
import { opening } from './contract.ts'
import { storeContract } from './stores.ts'

const mongodb = await findMongodb()

describe.skipIf(!mongodb)('MongoDB', () => storeContract(opening(() => mongodb?.newDatabase() ?? '', openMongo)))
