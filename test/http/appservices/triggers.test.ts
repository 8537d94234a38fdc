/** Authentication triggers and scheduled ones, on two servers that share a store. */
import * as Realm from 'realm-web'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { DataSource } from '#src/domain/documents/store.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { openDocuments } from '#src/storage/openDocuments.ts'
import { findMongodb } from '../../support/mongodb.ts'
import { tempDir } from '../../support/temp.ts'
import { type AppFiles, dataSourceFiles, functionFiles, type Place, providersFile, startPlace } from './place.ts'

const { Credentials } = Realm
const mongodb = await findMongodb()

/** Writes what it is told into the collection `log`; of users whose e-mail begins with "fails" only at the second attempt, and never with "never". */
const note = (database: string) => `
exports = async (event) => {
  const db = context.services.get("mongodb-atlas").db(${JSON.stringify(database)})
  const email = event?.user?.data?.email ?? ""
  if (email.startsWith("never")) throw new Error("no thanks")
  if (email.startsWith("fails") && event.operationType === "CREATE") {
    const { matchedCount } = await db.collection("attempts").updateOne({ _id: email }, { $inc: { n: 1 } }, { upsert: true })
    if (matchedCount === 0) throw new Error("the first time")
  }
  await db.collection("log").insertOne({ at: new Date(), asSystem: context.user.type, event: event ?? "none" })
}`

const files = (database: string, more: AppFiles = {}): AppFiles => ({
  ...providersFile({ 'anon-user': {}, 'local-userpass': { config: { autoConfirm: true } } }),
  ...dataSourceFiles,
  ...functionFiles({ note: note(database) }),
  'triggers/came.json': {
    name: 'came',
    type: 'AUTHENTICATION',
    function_name: 'note',
    config: { operation_type: 'CREATE', providers: ['local-userpass', 'anon-user'] },
    disabled: false,
  },
  'triggers/others.json': {
    name: 'others',
    type: 'AUTHENTICATION',
    config: { operation_type: ['LOGIN', 'DELETE'], providers: ['local-userpass'] },
    event_processors: { FUNCTION: { config: { function_name: 'note' } } },
    disabled: false,
  },
  ...more,
})

describe.each([
  ['the embedded store', () => ({ store: `sqlite:${tempDir()}` })],
  ['MongoDB', () => ({ store: mongodb?.newDatabase() ?? '' })],
] as const)('triggers on %s', (name, newStore) => {
  describe.skipIf(name === 'MongoDB' && !mongodb)('with two servers', () => {
    let place: Place
    let other: Place
    let source: DataSource
    let shift = 0
    const database = `triggers${Date.now()}`
    const now = () => new Date(Date.now() + shift)
    beforeAll(async () => {
      const options = { ...newStore(), now }
      source = await openDocuments(
        readConfiguration({ DOSSIER_ISSUER: 'http://localhost:1', DOSSIER_STORE: options.store, DOSSIER_SECRET: 'x'.repeat(40) })
          .dataSource,
      )
      place = await startPlace(files(database), options)
      other = await startPlace(files(database), options)
    })
    afterAll(() => Promise.all([place[Symbol.asyncDispose](), other[Symbol.asyncDispose](), source.close()]))

    // biome-ignore lint/suspicious/noExplicitAny: documents of the test's own function
    const log = async (): Promise<readonly any[]> => source.collection(database, 'log').find({}, { sort: { at: 1 } })
    const logged = async (email: string) => (await log()).map(({ event }) => event).filter((event) => event.user?.data?.email === email)
    const soon = (check: () => Promise<void>, timeout = 15_000) => vi.waitFor(check, { timeout, interval: 250 })
    const register = async (email: string) => {
      const app = place.client()
      await app.emailPasswordAuth.registerUser({ email, password: 'a test password' })
      return { app, user: await app.logIn(Credentials.emailPassword(email, 'a test password')) }
    }

    test('who comes, logs in and leaves is told in that order, with the user of then, to the system', async () => {
      const { user, app } = await register('jane@acme.example')
      const told = (operationType: string) => ({
        operationType,
        providers: ['local-userpass'],
        user: {
          id: user.id,
          type: 'normal',
          data: { email: 'jane@acme.example' },
          custom_data: {},
          identities: [{ provider_type: 'local-userpass', data: { email: 'jane@acme.example' } }],
        },
        time: expect.any(Date),
      })
      await soon(async () => expect(await logged('jane@acme.example')).toMatchObject([told('CREATE'), told('LOGIN')]))
      await other.client().logIn(Credentials.emailPassword('jane@acme.example', 'a test password'))
      await app.deleteUser(user)
      await soon(async () =>
        expect(await logged('jane@acme.example')).toMatchObject([told('CREATE'), told('LOGIN'), told('LOGIN'), told('DELETE')]),
      )
      expect(new Set((await log()).map(({ asSystem }) => asSystem))).toEqual(new Set(['system']))
    })

    test('a provider that no trigger names is told to nobody, and linking is a CREATE', async () => {
      const user = await place.client().logIn(Credentials.anonymous())
      await soon(async () => expect((await log()).filter(({ event }) => event.user?.id === user.id)).toHaveLength(1))
      const app = place.client()
      await app.emailPasswordAuth.registerUser({ email: 'linked@acme.example', password: 'a test password' })
      const them = await app.logIn(Credentials.anonymous())
      await them.linkCredentials(Credentials.emailPassword('linked@acme.example', 'a test password'))
      const toldOf = async (id: string) => (await log()).map(({ event }) => event).filter((event) => event.user?.id === id)
      await soon(async () =>
        expect((await toldOf(them.id)).map(({ operationType, providers }) => [operationType, ...providers])).toEqual([
          ['CREATE', 'anon-user'],
          ['CREATE', 'local-userpass'],
        ]),
      )
      expect((await toldOf(user.id)).map(({ operationType }) => operationType)).toEqual(['CREATE'])
    })

    test('what fails is tried again, and what came after it for the same user waits', async () => {
      await register('fails@acme.example')
      await soon(async () => expect((await logged('fails@acme.example')).map((each) => each.operationType)).toEqual(['CREATE', 'LOGIN']))
      expect(place.log.concat(other.log).filter((line) => line.includes('the first time'))).not.toEqual([])
    })

    test('what fails always is a dead letter after six attempts, which can be run again', async () => {
      await register('never@acme.example')
      const tasks = place.domain.triggerTasks
      await soon(async () => {
        shift += 700_000
        expect(await tasks.listDead(place.app.id, 'came')).toMatchObject([{ reason: 'no thanks', failures: 6 }])
      }, 60_000)
      const events = await place.domain.stores.audit.list({ kind: 'app', id: place.app.id }, { limit: 50 })
      expect(events.filter(({ type, payload }) => type === 'trigger.failed' && 'givenUp' in payload && payload.givenUp)).not.toEqual([])
      // Runs are gathered, and written a moment after the task that they are about.
      await soon(async () => {
        const failed = await place.domain.triggerRuns.list(place.app.id, 'came')
        expect(failed.filter(({ reason }) => reason === 'no thanks').map(({ attempt }) => attempt)).toEqual([6, 5, 4, 3, 2, 1])
      })
      expect(await tasks.listDeadOf(place.app.id)).toMatchObject([{ trigger: 'came', reason: 'no thanks' }])
      expect(await tasks.revive(place.app.id, 'came')).toBe(1)
      expect(await tasks.listDead(place.app.id, 'came')).toEqual([])
      await place.push(files(database, functionFiles({ note: note(database).replace('"never"', '"nobody"') })))
      await soon(async () => expect((await logged('never@acme.example')).map((each) => each.operationType)).toContain('CREATE'))
      await soon(async () => expect((await place.domain.triggerRuns.list(place.app.id, 'came'))[0]).not.toHaveProperty('reason'))
    }, 90_000)

    test('what changes on one server is so on the other: the app, the data, a session', async () => {
      const { user } = await register('both@acme.example')
      const onOther = other.client()
      const there = await onOther.logIn(Credentials.emailPassword('both@acme.example', 'a test password'))
      await place.push(
        files(database, {
          ...functionFiles(
            {
              note: note(database),
              put: `exports = (text) => context.services.get("mongodb-atlas").db("${database}").collection("users").updateOne({ user: context.user.id }, { $set: { text } }, { upsert: true })`,
            },
            { put: { run_as_system: true } },
          ),
          'auth/custom_user_data.json': {
            enabled: true,
            mongo_service_name: 'mongodb-atlas',
            database_name: database,
            collection_name: 'users',
            user_id_field: 'user',
          },
        }),
      )
      await soon(async () => expect(await there.callFunction('put', 'from the other').catch(() => undefined)).toBeDefined())
      expect(await user.refreshCustomData()).toMatchObject({ text: 'from the other' })
      await user.callFunction('put', 'from this one')
      expect(await there.refreshCustomData()).toMatchObject({ text: 'from this one' })
      await place.domain.users.deactivate(user.id as never, { kind: 'system' })
      await expect(there.refreshCustomData()).rejects.toThrow()
    })

    test('a scheduled trigger runs once for each time, on one server', async () => {
      const schedule = { name: 'hourly', type: 'SCHEDULED', function_name: 'note', config: { schedule: '30 * * * *' }, disabled: false }
      await place.push(files(database, { 'triggers/hourly.json': schedule }))
      const runs = async () => (await log()).filter(({ event }) => event === 'none').length
      await new Promise((resolve) => setTimeout(resolve, 2500))
      expect(await runs()).toBe(0)
      shift += 3600_000
      await soon(async () => expect(await runs()).toBe(1))
      await new Promise((resolve) => setTimeout(resolve, 2500))
      expect(await runs()).toBe(1)
      shift += 3600_000
      await soon(async () => expect(await runs()).toBe(2))
    })
  })
})
