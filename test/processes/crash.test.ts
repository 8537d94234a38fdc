import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Domain, openDomain } from '#src/compose.ts'
import type { AuditEvent } from '#src/domain/audit/events.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { person } from '../support/idp.ts'
import { testStores } from '../support/stores.ts'

describe.each(testStores)('on $name', ({ make }) => {
  test('after kill -9 under a write load every acknowledged write is there, none is half there, and no sequence is missing or double', async () => {
    const environment = { DOSSIER_STORE: await make(), DOSSIER_SECRET: 'a secret for tests of more than 32 bytes' }
    const before = await openDomain(readConfiguration(environment))
    const users = await Promise.all(
      Array.from({ length: 24 }, () => before.users.create(person({ password: undefined, metadata: [] }), { kind: 'system' })),
    )
    await before.stores.close()
    const acknowledged = new Map<string, { round: number; sequence: number }>()

    for (let crash = 0; crash < 3; crash += 1) {
      // Others each time: MongoDB keeps the transaction that was cut off for a minute, and nobody else may change that user until then.
      const written = users.slice(8 * crash, 8 * crash + 8).map(({ id }) => id)
      await writeAndKill(environment, written, acknowledged)
      const domain = await openDomain(readConfiguration(environment))
      for (const id of written) await inspect(domain, id, acknowledged.get(id))
      await domain.stores.close()
    }
    // On a machine that does much else, writes of the MongoDB for tests take long.
  }, 240_000)
})

/** Lets a process write until three hundred more writes are acknowledged, and kills it in the middle of the next. */
async function writeAndKill(
  environment: object,
  userIds: readonly UserId[],
  acknowledged: Map<string, { round: number; sequence: number }>,
): Promise<void> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), ...userIds], {
    env: { ...process.env, WRITER: JSON.stringify(environment) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  let lines = 0
  writer.stdout.setEncoding('utf8')
  writer.stdout.on('data', (chunk: string) => {
    text += chunk
    lines += chunk.split('\n').length - 1
    if (lines >= 300) writer.kill('SIGKILL')
  })
  const [, signal] = await once(writer, 'close')
  expect(signal).toBe('SIGKILL')
  for (const line of text.split('\n').slice(0, -1)) {
    const [userId = '', round, sequence] = line.split(' ')
    acknowledged.set(userId, { round: Number(round), sequence: Number(sequence) })
  }
}

async function inspect(domain: Domain, id: UserId, last: { round: number; sequence: number } | undefined): Promise<void> {
  const { user, metadata, events } = await settled(domain, id)
  const [left, right] = ['left', 'right'].map((key) => Buffer.from(metadata.find((entry) => entry.key === key)?.value ?? []).toString())
  expect(left).toBe(right)
  expect(Number(left)).toBeGreaterThanOrEqual(last?.round ?? 0)
  expect(user.sequence).toBeGreaterThanOrEqual(last?.sequence ?? 0)
  expect(events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: user.sequence }, (_, index) => user.sequence - index))
}

/** What is stored of a user. A commit that the killed process had sent may still land while it is read: then it is read again. */
async function settled({ users, stores }: Domain, id: UserId) {
  for (;;) {
    const [found, events] = [await users.findWithMetadata(id), await allEvents(stores, id)]
    if (!found) throw new Error(`there is no user ${id}`)
    if ((await users.get(id)).sequence === found.user.sequence) return { ...found, events }
  }
}

async function allEvents({ audit }: Domain['stores'], id: UserId): Promise<readonly AuditEvent[]> {
  const events: AuditEvent[] = []
  for (;;) {
    const page = await audit.list({ kind: 'user', id }, { before: events.at(-1)?.id, limit: 500 })
    if (page.length === 0) return events
    events.push(...page)
  }
}
