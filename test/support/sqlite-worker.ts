/** One of several processes on one SQLite store: `node sqlite-worker.ts DIRECTORY USER NUMBER CHANGES`. */
import { systemClock } from '#src/base/clock.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import { createMetadata } from '#src/domain/metadata/metadata.ts'
import { type UserId, UserIdTaken } from '#src/domain/users/user.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { user } from './records.ts'

const [directory = '', id = '', number = '', changes = ''] = process.argv.slice(2)
const userId = id as UserId
const stores = await openSqlite(directory)
try {
  await stores.users.insert(user({ id: userId, username: 'jane' }), [], [])
  process.stdout.write('created the user\n')
} catch (error) {
  if (!(error instanceof UserIdTaken)) throw error
}
const metadata = createMetadata({ store: stores.metadata, recorder: createRecorder({ now: systemClock }) })
for (let change = 0; change < Number(changes); change += 1) {
  await metadata.set(userId, [{ key: `${number}-${change}`, value: Buffer.from('v') }], { kind: 'system' })
}
await stores.close()
