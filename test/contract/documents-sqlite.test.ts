import { performance } from 'node:perf_hooks'
import { ObjectId } from 'bson'
import { describe, expect, test } from 'vitest'
import { openDocuments } from '#src/storage/openDocuments.ts'
import { tempDir } from '../support/temp.ts'
import { documentsContract, openingSource } from './documents.ts'

const open = openingSource(tempDir, (directory) => openDocuments({ kind: 'sqlite', directory }))

describe('documents in SQLite', () => {
  documentsContract(open)

  test('an indexed field is looked up, not looked for', async () => {
    await using source = await open()
    const users = source.collection('app', 'users')
    const ids = Array.from({ length: 5000 }, () => new ObjectId())
    await users.insertMany(ids.map((id) => ({ user_id: id.toHexString(), n: { deep: 1 } })))
    const filter = { user_id: ids.at(-1)?.toHexString() }
    const took = async () => {
      const start = performance.now()
      for (let round = 0; round < 5; round += 1) await users.findOne(filter)
      return performance.now() - start
    }
    const scanned = await took()
    await users.ensureIndex('user_id')
    await took()
    // A ratio in one run, and far from where it would be near.
    expect(scanned / (await took())).toBeGreaterThan(10)
  })
})
