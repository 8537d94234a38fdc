import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { UserId } from '#src/domain/users/user.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { tempDir } from '../support/temp.ts'

const run = promisify(execFile)
const worker = fileURLToPath(new URL('../support/sqlite-worker.ts', import.meta.url))

test('processes that start at once in an empty directory lose none of each other’s changes', async () => {
  const directory = tempDir()
  const id = '65f0c0ffee65f0c0ffee65f0' as UserId
  const outcomes = await Promise.all([1, 2, 3, 4].map((number) => run(process.execPath, [worker, directory, id, `${number}`, '40'])))
  const created = outcomes.filter(({ stdout }) => stdout.includes('created the user'))
  expect(created).toHaveLength(1)
  const stores = await openSqlite(directory)
  const found = await stores.users.findWithMetadata(id)
  expect(found?.metadata).toHaveLength(160)
  expect(found?.user.sequence).toBe(161)
  const events = await stores.audit.list({ kind: 'user', id }, { limit: 1000 })
  expect(events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 160 }, (_, index) => 161 - index))
  await stores.close()
})
