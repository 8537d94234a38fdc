/** Custom data of a user in the console, on both data sources. */
import { type BSON, Credentials } from 'realm-web'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { User } from '#src/domain/users/user.ts'
import type { Browser } from '../../support/browser.ts'
import { consoleBrowser, newManager } from '../../support/consolePeople.ts'
import { doneOf, faultOf, hiddenIn } from '../../support/forms.ts'
import { person } from '../../support/idp.ts'
import { findMongodb } from '../../support/mongodb.ts'
import { dataSourceFiles, functionFiles, type Place, providersFile, startPlace } from '../appservices/place.ts'

const system = { kind: 'system' } as const
const mongodb = await findMongodb()

/** Reads and writes the collection as an application does. */
const functions = {
  insert: 'exports = async (document) => { await context.services.get("mongodb-atlas").db("DB").collection("users").insertOne(document) }',
  paint:
    'exports = async (owner, color) => { await context.services.get("mongodb-atlas").db("DB").collection("users").updateOne({ owner }, { $set: { color } }) }',
  read: 'exports = async (owner) => context.services.get("mongodb-atlas").db("DB").collection("users").findOne({ owner })',
}

describe.each([
  ['the embedded store', () => ({})],
  ['MongoDB', () => ({ DOSSIER_DATA_SOURCE: mongodb?.newDatabase() ?? '' })],
] as const)('on %s', (name, environmentOf) => {
  describe.skipIf(name === 'MongoDB' && !mongodb)('custom data', () => {
    let place: Place
    let browser: Browser
    let admin: User
    let call: (name: keyof typeof functions, ...given: unknown[]) => Promise<unknown>
    beforeAll(async () => {
      const environment = environmentOf() as { DOSSIER_DATA_SOURCE?: string }
      const database = /\/([^/?]+)(?:\?|$)/.exec(environment.DOSSIER_DATA_SOURCE?.replace(/^mongodb:\/\//, '') ?? '')?.[1] ?? 'myapp'
      const sources = Object.fromEntries(
        Object.entries(functions).map(([each, source]) => [each, source.replaceAll('"DB"', `"${database}"`)]),
      )
      const asSystem = Object.fromEntries(Object.keys(functions).map((each) => [each, { run_as_system: true }]))
      place = await startPlace(
        {
          ...providersFile({ 'anon-user': {} }),
          ...dataSourceFiles,
          ...functionFiles(sources, asSystem),
          'auth/custom_user_data.json': {
            enabled: true,
            mongo_service_name: 'mongodb-atlas',
            database_name: database,
            collection_name: 'users',
            user_id_field: 'owner',
          },
        },
        { environment },
      )
      admin = await newManager(place, 'IAM_OWNER')
      browser = await consoleBrowser(place, admin)
      const user = await place.client().logIn(Credentials.anonymous(false))
      call = (each, ...given) => user.callFunction(each, ...given)
    })
    afterAll(() => place[Symbol.asyncDispose]())

    const newPerson = () => place.domain.users.create({ ...person(), password: undefined }, system)
    const pathOf = ({ id }: User) => `/console/users/${id}/custom-data/${place.app.id}`
    const eventsOf = async ({ id }: User) =>
      (await place.domain.stores.audit.list({ kind: 'user', id }, { limit: 20 })).filter(({ type }) => type === 'custom_data.changed')

    test('a document is made where there is none, and told as an event without what is in it', async () => {
      const user = await newPerson()
      const page = await browser.open(pathOf(user))
      expect(page.text).toContain('There is no document yet.')
      expect(page.text).toContain(`&quot;owner&quot;: &quot;${user.id}&quot;`)
      const text = JSON.stringify({ owner: user.id, color: 'ultramarine', logins: 3 })
      expect(doneOf(await browser.submit(page, pathOf(user), { document: text }))).toBe('Saved.')
      expect(await call('read', user.id)).toMatchObject({ owner: user.id, color: 'ultramarine' })
      const [event] = await eventsOf(user)
      expect(event).toMatchObject({ actor: { kind: 'user', id: admin.id }, payload: { app: place.app.id, bytes: expect.any(Number) } })
      expect(JSON.stringify(event)).not.toContain('ultramarine')
      const list = await browser.open(`/console/users/${user.id}/custom-data`)
      expect(list.text).toContain('ultramarine')
    })

    const fileOf = async (user: User) => {
      const reply = await fetch(place.url(`${pathOf(user)}/file`), { headers: { cookie: browser.cookieHeader('/console') } })
      return JSON.parse(await reply.text())
    }

    test('every type survives that the document is written, read and edited', async () => {
      const user = await newPerson()
      const document = {
        owner: user.id,
        id: { $oid: '63c060ed32043ef4c93c2a9c' },
        at: { $date: { $numberLong: '1767323045678' } },
        int: 7,
        whole: { $numberDouble: '7.0' },
        half: 0.5,
        long: { $numberLong: '9007199254740993' },
        short: { $numberLong: '7' },
        decimal: { $numberDecimal: '1.10' },
        bytes: { $binary: { base64: 'AQID', subType: '00' } },
        nested: { list: [1, 'two', null, true] },
      }
      const page = await browser.open(pathOf(user))
      expect(doneOf(await browser.submit(page, pathOf(user), { document: JSON.stringify(document) }))).toBe('Saved.')
      const { _id, ...written } = await fileOf(user)
      expect(written).toEqual(document)
      const shown = await browser.open(pathOf(user))
      const edited = { _id, ...written, nested: { list: [1, 'three', null, true] } }
      expect(doneOf(await browser.submit(shown, pathOf(user), { document: JSON.stringify(edited) }))).toBe('Saved.')
      expect(await fileOf(user)).toEqual(edited)
    })

    test('what is wrong is said with line and column, and what was typed stays', async () => {
      const user = await newPerson()
      const page = await browser.open(pathOf(user))
      const fault = async (document: string) => faultOf(await browser.submit(page, pathOf(user), { document }), 'document')
      expect(await fault(`{"owner": "${user.id}",\n "x": }`)).toBe('This is not JSON: line 2, column 7.')
      expect(await fault('[1]')).toMatch(/one JSON object/)
      expect(await fault(`{"owner": "${user.id}", "id": {"$oid": "x"}}`)).toMatch(/\$oid/)
      expect(await fault('{"owner": "somebody else"}')).toMatch(/^owner must be the id of the user/)
      expect(await fault('{"color": "red"}')).toMatch(/^owner must be/)
      expect(await fault(`{"owner": "${user.id}", "$set": {"color": "red"}}`)).toBeDefined()
      expect(await fault(`{"$where": "1", "owner": "${user.id}"}`)).toBeDefined()
      expect(await call('read', user.id)).toBeNull()
      expect(await eventsOf(user)).toEqual([])
    })

    test('what the application has written meanwhile is not overwritten, and both versions are shown', async () => {
      const user = await newPerson()
      await call('insert', { owner: user.id, color: 'red' })
      const page = await browser.open(pathOf(user))
      await call('paint', user.id, 'green')
      const mine = JSON.stringify({ owner: user.id, color: 'blue' })
      const conflict = await browser.submit(page, pathOf(user), { document: mine })
      expect(conflict.status).toBe(409)
      expect(conflict.text).toMatch(/What is there now[\s\S]*green[\s\S]*What you wanted to save[\s\S]*blue/)
      expect(await call('read', user.id)).toMatchObject({ color: 'green' })
      expect(hiddenIn(conflict, 'mark')).not.toBe(hiddenIn(page, 'mark'))
      expect(doneOf(await browser.submit(conflict, pathOf(user), { document: mine }))).toBe('Saved.')
      expect(await call('read', user.id)).toMatchObject({ color: 'blue' })
    })

    test('a document that the application has made meanwhile is a conflict, too, and no second one is made', async () => {
      const user = await newPerson()
      const page = await browser.open(pathOf(user))
      await call('insert', { owner: user.id, color: 'red' })
      const conflict = await browser.submit(page, pathOf(user), { document: JSON.stringify({ owner: user.id, color: 'blue' }) })
      expect(conflict.status).toBe(409)
      expect(await call('read', user.id)).toMatchObject({ color: 'red' })
    })

    test('a document of another is neither overwritten nor taken over by its _id', async () => {
      const [user, other] = [await newPerson(), await newPerson()]
      await call('insert', { owner: other.id, color: 'red' })
      const { _id } = (await call('read', other.id)) as { _id: BSON.ObjectId }
      const page = await browser.open(pathOf(user))
      const taken = await browser.submit(page, pathOf(user), {
        document: JSON.stringify({ _id: { $oid: String(_id) }, owner: user.id, color: 'blue' }),
      })
      expect(faultOf(taken, 'document')).toBeDefined()
      expect(await call('read', other.id)).toMatchObject({ color: 'red' })
      expect(await call('read', user.id)).toBeNull()
    })

    test('a document that is larger than is advised is warned of', async () => {
      const user = await newPerson()
      await call('insert', { owner: user.id, text: 'x'.repeat(20_000) })
      const list = await browser.open(`/console/users/${user.id}/custom-data`)
      expect(list.text).toContain('larger than is advised')
      expect(Buffer.byteLength(list.text)).toBeLessThan(60_000)
      await call('insert', { owner: (await newPerson()).id })
    })
  })
})
