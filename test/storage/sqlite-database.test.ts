import { join } from 'node:path'
import { expect, test } from 'vitest'
import { StoreUnavailable } from '#src/base/errors.ts'
import { createArtifactStore } from '#src/storage/sqlite/artifacts.ts'
import { createAttemptStore } from '#src/storage/sqlite/attempts.ts'
import { Database } from '#src/storage/sqlite/database.ts'
import { migrate } from '#src/storage/sqlite/migrations/migrate.ts'
import { sessionsSteps } from '#src/storage/sqlite/migrations/sessions.ts'
import { startSweep, sweep } from '#src/storage/sqlite/sweep.ts'
import { tempDir } from '../support/temp.ts'

async function openSessions() {
  const database = new Database(join(tempDir(), 'sessions.db'))
  database.configure('NORMAL')
  await migrate(database, sessionsSteps)
  let time = new Date('2026-03-01T10:00:00Z').getTime()
  const now = () => new Date(time)
  const count = (table: 'artifacts' | 'attempts') => database.get<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)?.count
  return {
    database,
    now,
    count,
    artifacts: createArtifactStore(database, now),
    attempts: createAttemptStore(database),
    in: (seconds: number) => new Date(time + seconds * 1000),
    pass: (seconds: number) => {
      time += seconds * 1000
    },
    [Symbol.asyncDispose]: () => database.close(),
  }
}

const pages = (database: Database, pragma: string) => Object.values(database.get<Record<string, number>>(`PRAGMA ${pragma}`) ?? {})[0]

test('a full disk is told as such, takes no companion with it, and is over when there is room again', async () => {
  await using sessions = await openSessions()
  const { database, artifacts } = sessions
  const put = (id: string, bytes: number) => artifacts.put({ model: 'M', id, payload: { text: 'x'.repeat(bytes) } })
  await put('first', 10)
  database.exec(`PRAGMA max_page_count = ${Number(pages(database, 'page_count')) + 1}`)
  const outcomes = await Promise.allSettled([put('small', 10), put('large', 200_000), put('tiny', 10)])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  await expect(put('large', 200_000)).rejects.toThrow(StoreUnavailable)
  await expect(put('large', 200_000)).rejects.toThrow('the store is not available: the disk is full')
  expect(await artifacts.find('M', 'small')).toBeDefined()
  expect(await artifacts.find('M', 'tiny')).toBeDefined()
  expect(await artifacts.find('M', 'large')).toBeUndefined()
  database.exec('PRAGMA max_page_count = 100000')
  await database.ping()
  await put('large', 200_000)
  expect(await artifacts.find('M', 'large')).toBeDefined()
})

test('a store that became read-only is told as such by writes and by the next ping', async () => {
  await using sessions = await openSessions()
  sessions.database.exec('PRAGMA query_only = ON')
  await expect(sessions.artifacts.put({ model: 'M', id: 'a', payload: {} })).rejects.toThrow('not available: its file is read-only')
  await expect(sessions.database.ping()).rejects.toThrow(StoreUnavailable)
  sessions.database.exec('PRAGMA query_only = OFF')
  await sessions.database.ping()
})

test('a mistake in a statement is not taken for a store that is down', async () => {
  await using sessions = await openSessions()
  await expect(sessions.database.read(() => sessions.database.get('SELECT nonsense FROM artifacts'))).rejects.toThrow(/no such column/)
  await expect(sessions.database.write(() => sessions.database.run('DELETE FROM nowhere'))).rejects.toThrow(/no such table/)
  await sessions.database.ping()
})

test('a migration that fails leaves the version before it', async () => {
  await using sessions = await openSessions()
  const steps = [...sessionsSteps, 'CREATE TABLE further (a)', 'CREATE TABLE artifacts (a)']
  await expect(migrate(sessions.database, steps)).rejects.toThrow(/already exists/)
  expect(pages(sessions.database, 'user_version')).toBe(sessionsSteps.length)
  await migrate(sessions.database, steps.slice(0, -1))
  await migrate(sessions.database, steps.slice(0, -1))
  expect(pages(sessions.database, 'user_version')).toBe(steps.length - 1)
})

test('an artifact is answered for a minute after it expired', async () => {
  await using sessions = await openSessions()
  const { artifacts } = sessions
  await artifacts.put({ model: 'Session', id: 's', uid: 'u', userCode: 'c', payload: { a: 1 }, expiresAt: sessions.in(10) })
  const answers = async () =>
    Promise.all([artifacts.find('Session', 's'), artifacts.findByUid('Session', 'u'), artifacts.findByUserCode('Session', 'c')])
  sessions.pass(69)
  expect(await answers()).toEqual([{ payload: { a: 1 } }, { payload: { a: 1 } }, { payload: { a: 1 } }])
  sessions.pass(2)
  expect(await answers()).toEqual([undefined, undefined, undefined])
  expect(await artifacts.consume('Session', 's', sessions.now())).toBe(false)
})

test('the sweep removes what has expired, however much it is, and nothing else', async () => {
  await using sessions = await openSessions()
  const { artifacts, attempts, database } = sessions
  const put = (id: string, seconds?: number) =>
    artifacts.put({ model: 'AccessToken', id, payload: {}, ...(seconds === undefined ? {} : { expiresAt: sessions.in(seconds) }) })
  await Promise.all(Array.from({ length: 1300 }, (_, index) => put(`short-${index}`, 60)))
  await Promise.all([put('long', 3600), put('eternal')])
  await attempts.count(['jane', 'john'], sessions.now(), 60)
  await attempts.count(['judy'], sessions.now(), 3600)
  expect(await sweep(database, sessions.now)).toBe(0)
  sessions.pass(121)
  expect(await sweep(database, sessions.now)).toBe(1302)
  expect([sessions.count('artifacts'), sessions.count('attempts')]).toEqual([2, 1])
  expect(await sweep(database, sessions.now)).toBe(0)
})

test('a sweep that is told to stop ends after the batch under way', async () => {
  await using sessions = await openSessions()
  await Promise.all(
    Array.from({ length: 1300 }, (_, n) => sessions.artifacts.put({ model: 'M', id: `${n}`, payload: {}, expiresAt: sessions.in(1) })),
  )
  sessions.pass(100)
  let asked = 0
  expect(await sweep(sessions.database, sessions.now, () => ++asked > 1)).toBe(500)
  await startSweep(sessions.database, sessions.now)()
})

test('what was used stays used when it is written again, and is new when it had expired', async () => {
  await using sessions = await openSessions()
  const { artifacts } = sessions
  const code = { model: 'DeviceCode', id: 'c', payload: {}, expiresAt: sessions.in(60) }
  expect(await artifacts.insert(code)).toBe(true)
  expect(await artifacts.insert(code)).toBe(false)
  expect(await artifacts.consume('DeviceCode', 'c', sessions.now())).toBe(true)
  await artifacts.put({ ...code, payload: { late: true } })
  expect(await artifacts.find('DeviceCode', 'c')).toEqual({ payload: { late: true }, consumedAt: sessions.now() })
  sessions.pass(61)
  expect(await artifacts.insert({ ...code, expiresAt: sessions.in(60) })).toBe(true)
  expect(await artifacts.find('DeviceCode', 'c')).toEqual({ payload: {} })
})

test('two authorizations of one session that were written at once both stay, whatever the clients are called', async () => {
  await using sessions = await openSessions()
  const { artifacts } = sessions
  const session = (authorizations: string, loginTs = 1) => ({
    model: 'Session',
    id: 's',
    uid: 'u',
    payload: { accountId: 'jane', loginTs, authorizations: JSON.parse(authorizations) },
  })
  const stored = async () => JSON.stringify((await artifacts.find('Session', 's'))?.payload.authorizations)
  await artifacts.putSession(session('{"a.b":{"grantId":"1"},"__proto__":{"grantId":"2"}}'))
  await artifacts.putSession(session('{"constructor":{"grantId":"3"},"a.b":{"grantId":"4"}}'))
  expect(JSON.parse((await stored()) ?? '')).toEqual(
    JSON.parse('{"a.b":{"grantId":"4"},"__proto__":{"grantId":"2"},"constructor":{"grantId":"3"}}'),
  )
  await artifacts.putSession({ ...session('{}', 2) })
  expect(await stored()).toBe('{}')
})
