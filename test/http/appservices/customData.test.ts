/** Custom user data, functions and rules, by `realm-web`, over both data sources. */

import { readFileSync } from 'node:fs'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import * as Realm from 'realm-web'
import { BSON } from 'realm-web'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startIdp } from '../../support/idp.ts'
import { findMongodb } from '../../support/mongodb.ts'
import { freePort } from '../../support/ports.ts'
import { signIn } from '../../support/relyingParty.ts'
import { tempDir } from '../../support/temp.ts'
import { dataSourceFiles, functionFiles, type Place, providersFile, startPlace } from './place.ts'

const { Credentials } = Realm
const mongodb = await findMongodb()

/** As the documentation has it, character by character. */
const onUserCreation = `exports = async function onUserCreation(user) {
  const customUserDataCollection = context.services
    .get("mongodb-atlas")
    .db("myapp")
    .collection("users");
  try {
    await customUserDataCollection.insertOne({
      // Save the user's account ID to your configured user_id_field
      user_account_id: user.id,
      // Store any other user data you want
      favorite_color: "blue",
    });
  } catch (e) {
    console.error(\`Failed to create custom user data document for user:\${user.id}\`);
    throw e
  }
}
`

const functions = {
  onUserCreation,
  paint: `exports = async (color) => {
    const users = context.services.get("mongodb-atlas").db("myapp").collection("users")
    await users.updateOne({ user_account_id: context.user.id }, { $set: { favorite_color: color } })
    return context.user.custom_data.favorite_color
  }`,
  fill: `exports = async (bytes) => {
    const users = context.services.get("mongodb-atlas").db("myapp").collection("users")
    await users.updateOne({ user_account_id: context.user.id }, { $set: { text: "x".repeat(bytes) } })
  }`,
  seed: `exports = async (documents, collection = "things") => { await context.services.get("mongodb-atlas").db("myapp").collection(collection).insertMany(documents) }`,
  hidden: 'exports = () => "hidden"',
  guarded: 'exports = () => "guarded"',
  throws: 'exports = () => { throw new Error("no reason") }',
}

type Loose = globalThis.Realm.Services.MongoDB.Document & Record<string, unknown>

/** One of the two models of the documentation, as people copy them. */
const preset = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../../examples/app-services-rules/${name}.json`, import.meta.url), 'utf8'))
const files = (database: string) => {
  const named = Object.fromEntries(Object.entries(functions).map(([name, source]) => [name, source.replaceAll('"myapp"', `"${database}"`)]))
  return {
    ...providersFile({ 'anon-user': {}, 'local-userpass': { config: { autoConfirm: true } } }),
    ...dataSourceFiles,
    ...functionFiles(named, {
      onUserCreation: { private: true },
      paint: { run_as_system: true },
      fill: { run_as_system: true },
      seed: { run_as_system: true },
      hidden: { private: true },
      guarded: { can_evaluate: { '%%user.custom_data.favorite_color': 'red' } },
    }),
    'auth/custom_user_data.json': {
      enabled: true,
      mongo_service_name: 'mongodb-atlas',
      database_name: database,
      collection_name: 'users',
      user_id_field: 'user_account_id',
      on_user_creation_function_name: 'onUserCreation',
    },
    [`data_sources/mongodb-atlas/${database}/users/rules.json`]: { ...preset('own_document'), database },
    [`data_sources/mongodb-atlas/${database}/closed/rules.json`]: { ...preset('functions_only'), database, collection: 'closed' },
    [`data_sources/mongodb-atlas/${database}/things/rules.json`]: {
      database,
      collection: 'things',
      roles: [
        {
          name: 'painter',
          apply_when: { '%%user.custom_data.favorite_color': 'red' },
          insert: true,
          delete: true,
          read: true,
          write: true,
        },
        {
          name: 'owner',
          apply_when: { owner: '%%user.id' },
          insert: true,
          delete: true,
          fields: {
            secret: { read: false, write: false },
            note: { read: true, write: true },
            owner: { read: true, write: true },
            _id: { read: true, write: true },
          },
        },
      ],
    },
  }
}

describe.each([
  ['the embedded store', () => ({})],
  ['MongoDB', () => ({ DOSSIER_DATA_SOURCE: mongodb?.newDatabase() ?? '' })],
] as const)('custom user data on %s', (name, environmentOf) => {
  describe.skipIf(name === 'MongoDB' && !mongodb)('with its functions and rules', () => {
    let place: Place
    let database: string
    beforeAll(async () => {
      const environment = environmentOf() as { DOSSIER_DATA_SOURCE?: string }
      // Tests share a server: the app has a database of its own.
      database = /\/([^/?]+)(?:\?|$)/.exec(environment.DOSSIER_DATA_SOURCE?.replace(/^mongodb:\/\//, '') ?? '')?.[1] ?? 'myapp'
      place = await startPlace(files(database), { environment })
    })
    afterAll(() => place[Symbol.asyncDispose]())

    const errorOf = (call: Promise<unknown>) =>
      call.then(
        () => 'no error',
        (error: Realm.MongoDBRealmError) => [error.statusCode, error.errorCode, error.error],
      )
    const login = () => place.client().logIn(Credentials.anonymous(false))
    const claimsOf = (user: Realm.User) => JSON.parse(Buffer.from(user.accessToken?.split('.')[1] ?? '', 'base64url').toString())

    test('the document that the creation function made is in the first token', async () => {
      const user = await login()
      expect(user.customData).toMatchObject({ user_account_id: user.id, favorite_color: 'blue' })
      expect(user.customData._id).toMatch(/^[0-9a-f]{24}$/)
      expect(claimsOf(user)).toMatchObject({ typ: 'access', sub: user.id, user_data: { favorite_color: 'blue' } })
      const { body } = await place.call('GET', '/auth/profile', { token: user.accessToken })
      expect(body).toMatchObject({ user_id: user.id, custom_data: { favorite_color: 'blue' } })
    })

    test('a change is in the next token, and not in the one before', async () => {
      const user = await login()
      const before = user.accessToken
      expect(await user.callFunction('paint', 'green')).toBe('blue')
      expect(user.customData.favorite_color).toBe('blue')
      expect(await user.refreshCustomData()).toMatchObject({ favorite_color: 'green' })
      expect(JSON.parse(Buffer.from(before?.split('.')[1] ?? '', 'base64url').toString()).user_data.favorite_color).toBe('blue')
    })

    test('a document that is too large stays out of the token, and in the profile', async () => {
      const user = await login()
      await user.callFunction('fill', 20_000)
      await user.refreshCustomData()
      expect((user.customData as { text: string }).text).toHaveLength(20_000)
      await user.callFunction('fill', 70_000)
      expect(await user.refreshCustomData()).toEqual({})
      expect(claimsOf(user)).toMatchObject({ user_data: {}, user_data_omitted: true })
      const { body } = await place.call('GET', '/auth/profile', { token: user.accessToken })
      expect(body.custom_data.text).toHaveLength(70_000)
      expect(place.log.join('')).toContain('too large for a token')
    })

    test('a creation function that throws means no user, no identity and no token', async () => {
      const source = functions.onUserCreation.replaceAll('"myapp"', `"${database}"`)
      await place.push({ ...files(database), 'functions/onUserCreation.js': 'exports = () => { throw new Error("not today") }' })
      const client = place.client()
      expect(await errorOf(client.logIn(Credentials.anonymous(false)))).toEqual([400, 'FunctionExecutionError', 'not today'])
      const email = 'nobody@app.example'
      await client.emailPasswordAuth.registerUser({ email, password: 'a test password' })
      const byEmail = () => client.logIn(Credentials.emailPassword(email, 'a test password'))
      expect(await errorOf(byEmail())).toEqual([400, 'FunctionExecutionError', 'not today'])
      expect(await place.domain.users.findByUsername(email)).toBeUndefined()
      await place.push({ ...files(database), 'functions/onUserCreation.js': source })
      expect((await byEmail()).customData).toMatchObject({ favorite_color: 'blue' })
    })

    test('functions that are private, or that rules keep from somebody, are not called', async () => {
      const user = await login()
      expect(await errorOf(user.callFunction('hidden'))).toEqual([404, 'FunctionNotFound', "function not found: 'hidden'"])
      expect(await errorOf(user.callFunction('none'))).toEqual([404, 'FunctionNotFound', "function not found: 'none'"])
      expect(await errorOf(user.callFunction('guarded'))).toMatchObject([403, 'FunctionNotFound', expect.anything()])
      await user.callFunction('paint', 'red')
      expect(await user.callFunction('guarded')).toBe('guarded')
      expect(await errorOf(user.callFunction('throws'))).toEqual([400, 'FunctionExecutionError', 'no reason'])
    })

    test('a user reads and writes their own document, and no other', async () => {
      const [one, two] = [await login(), await login()]
      const users = (user: Realm.User) => user.mongoClient('mongodb-atlas').db(database).collection<Loose>('users')
      expect(await users(one).find()).toMatchObject([{ user_account_id: one.id }])
      expect(await users(one).findOne({ user_account_id: two.id })).toBeNull()
      expect(await users(one).count()).toBe(1)
      expect(await users(one).updateOne({ user_account_id: two.id }, { $set: { favorite_color: 'none' } })).toMatchObject({
        matchedCount: 0,
      })
      expect(await users(one).updateMany({}, { $set: { favorite_color: 'pink' } })).toMatchObject({ matchedCount: 1, modifiedCount: 1 })
      expect(await users(two).findOne({}, { projection: { favorite_color: 1, _id: 0 } })).toEqual({ favorite_color: 'blue' })
      expect(await errorOf(users(one).updateOne({}, { $set: { user_account_id: two.id } }))).toMatchObject([
        403,
        'NoMatchingRuleFound',
        expect.stringContaining('update not permitted'),
      ])
      expect(await errorOf(users(one).insertOne({ user_account_id: one.id }))).toMatchObject([
        403,
        'NoMatchingRuleFound',
        expect.stringContaining('insert not permitted'),
      ])
      expect(await errorOf(users(one).deleteOne({}))).toMatchObject([
        403,
        'NoMatchingRuleFound',
        expect.stringContaining('delete not permitted'),
      ])
      expect(await errorOf(one.mongoClient('mongodb-atlas').db(database).collection('other').find())).toMatchObject([
        403,
        'NoMatchingRuleFound',
        expect.anything(),
      ])
      expect(await errorOf(one.mongoClient('none').db(database).collection('users').find())).toMatchObject([
        404,
        'ServiceNotFound',
        expect.anything(),
      ])
    })

    test('where only functions may, a client may nothing', async () => {
      const user = await login()
      await user.callFunction('seed', [{ _id: user.id, user_account_id: user.id }], 'closed')
      const closed = user.mongoClient('mongodb-atlas').db(database).collection<Loose>('closed')
      expect(await closed.find()).toEqual([])
      expect([await closed.count(), await closed.findOne(), await closed.aggregate([{ $match: {} }])]).toEqual([0, null, []])
      const refused = [403, 'NoMatchingRuleFound', expect.stringContaining('not permitted')]
      expect(await errorOf(closed.insertOne({ user_account_id: user.id }))).toEqual(refused)
      expect(await errorOf(closed.findOne({ _id: user.id }))).toEqual([
        403,
        'NoMatchingRuleFound',
        expect.stringContaining('may not be asked for'),
      ])
      expect(await errorOf(closed.updateOne({}, { $set: { a: 1 } }))).toEqual(refused)
      expect(await errorOf(closed.deleteMany({}))).toEqual(refused)
    })

    test('fields that a role hides are neither read, nor written, nor asked for', async () => {
      const user = await login()
      const admin = await login()
      await admin.callFunction('seed', [
        { _id: `${user.id}-1`, owner: user.id, note: 'a', secret: 1 },
        { _id: `${user.id}-2`, owner: 'somebody', note: 'b', secret: 2 },
      ])
      const things = user.mongoClient('mongodb-atlas').db(database).collection<Loose>('things')
      expect(await things.find()).toEqual([{ _id: `${user.id}-1`, owner: user.id, note: 'a' }])
      expect(await things.findOneAndUpdate({ owner: user.id }, { $set: { note: 'c' } }, { returnNewDocument: true })).toEqual({
        _id: `${user.id}-1`,
        owner: user.id,
        note: 'c',
      })
      const refused = [
        things.find({ secret: 1 }),
        things.count({ secret: { $gt: 0 } }),
        things.find({}, { sort: { secret: 1 } }),
        things.updateOne({ secret: 1 }, { $set: { note: 'x' } }),
        things.updateOne({ owner: user.id }, { $set: { secret: 5 } }),
        things.updateOne({ owner: user.id }, [{ $set: { note: '$secret' } }] as never),
        things.updateOne({ owner: user.id }, { $rename: { secret: 'note' } }),
        things.insertOne({ owner: user.id, note: 'n', secret: 1 }),
        things.insertOne({ owner: 'somebody', note: 'n' }),
        things.aggregate([{ $match: {} }]),
        things.aggregate([{ $lookup: { from: 'users', as: 'x', pipeline: [] } }]),
        things.find({ $where: 'true' }),
        things.find({ $expr: { $gt: ['$secret', 0] } }),
      ].map(errorOf)
      for (const each of refused) expect((await each)[0]).toBe(403)
      expect(await things.insertOne({ owner: user.id, note: 'mine' })).toMatchObject({ insertedId: expect.any(BSON.ObjectId) })
      expect(await things.count()).toBe(2)
      expect(await things.deleteMany({ note: 'mine' })).toMatchObject({ deletedCount: 1 })
      expect(await things.findOneAndDelete({ owner: 'somebody' })).toBeNull()
    })

    test('a role by custom data sees everything, in pipelines too', async () => {
      const user = await login()
      await user.callFunction('paint', 'red')
      await user.refreshCustomData()
      const things = user.mongoClient('mongodb-atlas').db(database).collection<Loose>('things')
      await things.insertMany([
        { _id: `${user.id}-1`, kind: user.id, n: 1 },
        { _id: `${user.id}-2`, kind: user.id, n: 2 },
      ])
      const sums = await things.aggregate([{ $match: { kind: user.id } }, { $group: { _id: '$kind', sum: { $sum: '$n' } } }])
      expect(sums).toEqual([{ _id: user.id, sum: 3 }])
      expect(await things.find({ kind: user.id }, { sort: { n: -1 }, limit: 1, projection: { n: 1, _id: 0 } })).toEqual([{ n: 2 }])
    })

    test('in OpenID Connect it is custom_data, and what providers tell is user_metadata', async () => {
      const email = 'oidc@app.example'
      const app = place.client()
      await app.emailPasswordAuth.registerUser({ email, password: 'a test password' })
      const user = await app.logIn(Credentials.emailPassword(email, 'a test password'))
      const scope = 'openid offline_access custom_data user_metadata'
      const plain = await signIn(place, { username: email, scope: 'openid profile' })
      const userinfo = (token: string) => client.fetchUserInfo(plain.configuration, token, user.id)
      expect(await userinfo(plain.tokens.access_token)).not.toHaveProperty('custom_data')
      const { tokens } = await signIn(place, { username: email, scope })
      expect(tokens.claims()).not.toHaveProperty('custom_data')
      const told = { custom_data: { user_account_id: user.id, favorite_color: 'blue' }, user_metadata: { email } }
      expect(await userinfo(tokens.access_token)).toMatchObject(told)
      expect(await client.tokenIntrospection(plain.configuration, tokens.access_token)).toMatchObject(told)
      await user.callFunction('paint', 'green')
      expect(await userinfo(tokens.access_token)).toMatchObject({ custom_data: { favorite_color: 'green' } })
      expect(await client.tokenIntrospection(plain.configuration, tokens.access_token)).toMatchObject({
        custom_data: { favorite_color: 'green' },
      })

      const asserting = { ...place.web, idTokenUserinfoAssertion: true, accessTokenType: 'jwt' } as const
      await place.domain.catalogue.commit({ putApplications: [asserting], events: [] })
      const inside = await signIn(place, { username: email, scope })
      expect(inside.tokens.claims()).toMatchObject({ ...told, custom_data: { favorite_color: 'green' } })
      expect(decodeJwt(inside.tokens.access_token)).toMatchObject({ custom_data: { favorite_color: 'green' } })
      await user.callFunction('fill', 70_000)
      const fresh = await client.refreshTokenGrant(inside.configuration, inside.tokens.refresh_token ?? '')
      expect(fresh.claims()).toMatchObject({ custom_data: {}, user_metadata: { email } })
      expect((await userinfo(fresh.access_token)).custom_data).toMatchObject({ favorite_color: 'green', text: expect.any(String) })
      await place.domain.catalogue.commit({ putApplications: [place.web], events: [] })
    })

    test('whoever watches is told of what they may read', async () => {
      const user = await login()
      const things = user.mongoClient('mongodb-atlas').db(database).collection<Loose>('things')
      const stream = things.watch()
      const first = stream.next()
      const other = await login()
      await new Promise((resolve) => setTimeout(resolve, 500))
      await other.callFunction('seed', [
        { _id: `${user.id}-x`, owner: 'somebody', note: '100%\n', secret: 1 },
        { _id: `${user.id}-y`, owner: user.id, note: '100%\n', secret: 1 },
      ])
      const { value } = await first
      expect(value).toMatchObject({ operationType: 'insert', fullDocument: { _id: `${user.id}-y`, note: '100%\n' } })
      expect(JSON.stringify(value)).not.toContain('secret')
      await stream.return(undefined)
      // A filter is on what they are told: what a role hides finds nothing.
      const [filtered, hidden] = [{ 'fullDocument.note': 'wanted', operationType: 'insert' }, { 'fullDocument.secret': 1 }].map((filter) =>
        things.watch({ filter } as never),
      )
      const hits = filtered?.next()
      let isTold = false
      void hidden?.next().then(
        ({ done }) => {
          isTold = done !== true
        },
        () => undefined,
      )
      await new Promise((resolve) => setTimeout(resolve, 500))
      const made = (note: string, at: number) => ({ _id: `${user.id}-f${at}`, owner: user.id, note, secret: 1 })
      await other.callFunction('seed', [made('other', 1), made('wanted', 2)])
      expect((await hits)?.value).toMatchObject({ fullDocument: { _id: `${user.id}-f2` } })
      expect(isTold).toBe(false)
      await Promise.all([filtered?.return(undefined), hidden?.return(undefined)])
      const wrong = things.watch({ filter: { $where: 'true' } } as never)
      expect(await errorOf(wrong.next())).toEqual([400, 'MongoDBError', '$where is not allowed here'])
    }, 20_000)
  })
})

test('an index that cannot be made is told of at the start, and then not at every login', async () => {
  const store = `sqlite:${tempDir()}`
  await (await startPlace(files('myapp'), { store }))[Symbol.asyncDispose]()
  const gone = `mongodb://127.0.0.1:${await freePort()}/myapp`
  await using idp = await startIdp({ store, environment: { DOSSIER_DATA_SOURCE: gone } })
  const told = () => idp.log.filter((line) => line.includes('custom user data has no index')).map((line) => JSON.parse(line))
  await expect.poll(told, { timeout: 15_000 }).toHaveLength(1)
  expect(told()[0]).toMatchObject({ level: 40, app: 'myapp-abcde', collection: 'myapp.users', field: 'user_account_id' })
  const app = new Realm.App({ id: 'myapp-abcde', baseUrl: idp.issuer })
  await Promise.allSettled([app.logIn(Credentials.anonymous()), app.logIn(Credentials.anonymous())])
  expect(told()).toHaveLength(1)
}, 40_000)
