/**
 * A process that writes metadata as fast as it can and tells on stdout, a line each, what has been acknowledged: `USER ROUND SEQUENCE`. It writes
 * pairs, so that half a bulk write would show. It is made to be killed, and ends by itself after 30 seconds.
 */
import { openDomain } from '#src/compose.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { readConfiguration } from '#src/platform/config.ts'

const userIds = process.argv.slice(2) as UserId[]
const { metadata } = await openDomain(readConfiguration(process.env.WRITER ? JSON.parse(process.env.WRITER) : {}))
const until = Date.now() + 30_000

await Promise.all(
  userIds.map(async (userId) => {
    for (let round = 1; Date.now() < until; round += 1) {
      const value = Buffer.from(String(round))
      const { sequence } = await metadata.set(
        userId,
        [
          { key: 'left', value },
          { key: 'right', value },
        ],
        { kind: 'system' },
      )
      process.stdout.write(`${userId} ${round} ${sequence}\n`)
    }
  }),
)
