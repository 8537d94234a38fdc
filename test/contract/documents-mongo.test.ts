import { describe } from 'vitest'
import { openDocuments } from '#src/storage/openDocuments.ts'
import { findMongodb } from '../support/mongodb.ts'
import { documentsContract, openingSource } from './documents.ts'

const mongodb = await findMongodb()

describe.skipIf(!mongodb)('documents in MongoDB', () => {
  const open = openingSource(
    () => mongodb?.newDatabase() ?? '',
    (url) => openDocuments({ kind: 'mongodb', url }),
  )
  documentsContract(open)
})
