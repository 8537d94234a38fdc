/** Logging in to an app with `realm-web`, as its documentation shows. */
import * as Realm from 'realm-web'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { functionFiles, type Place, providersFile, startPlace } from './place.ts'

const { Credentials } = Realm
let place: Place
const functions = {
  who: 'exports = () => ({ id: context.user.id, type: context.user.type, data: context.user.data, identities: context.user.identities.length })',
  login:
    'exports = ({ name, secret }) => { if (secret !== "open") throw new Error("wrong secret"); return { id: "external-" + name, name } }',
}
beforeAll(async () => {
  place = await startPlace({
    ...providersFile({
      'anon-user': {},
      'local-userpass': { config: { autoConfirm: true, resetPasswordUrl: 'https://app.example/reset' } },
      'api-key': {},
      'custom-function': { config: { authFunctionName: 'login' } },
    }),
    ...functionFiles(functions),
  })
})
afterAll(() => place[Symbol.asyncDispose]())

const secret = 'a test password'
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => 'no error',
    (error: Realm.MongoDBRealmError) => [error.statusCode, error.errorCode, error.error],
  )

async function registered(email: string) {
  const client = place.client()
  await client.emailPasswordAuth.registerUser({ email, password: secret })
  return { client, user: await client.logIn(Credentials.emailPassword(email, secret)) }
}

test('anonymously: somebody new each time, and a person like others', async () => {
  const [one, two] = [await place.client().logIn(Credentials.anonymous(false)), await place.client().logIn(Credentials.anonymous(false))]
  expect(one.id).not.toBe(two.id)
  expect(one.id).toMatch(/^[0-9a-f]{24}$/)
  expect(one.identities).toMatchObject([{ providerType: 'anon-user' }])
  expect(one.customData).toEqual({})
  expect(one.deviceId).toMatch(/^[0-9a-f]{24}$/)
  const user = await place.domain.users.find(one.id as never)
  expect(user).toMatchObject({ kind: 'human', cameBy: place.app.id })
})

test('by e-mail and password: registered once, with the words of the contract for what goes wrong', async () => {
  const { client, user } = await registered('jane@app.example')
  expect(user.profile).toEqual({ email: 'jane@app.example' })
  expect(user.identities).toMatchObject([{ providerType: 'local-userpass' }])
  expect(await user.callFunction('who')).toEqual({ id: user.id, type: 'normal', data: { email: 'jane@app.example' }, identities: 1 })
  const again = client.emailPasswordAuth.registerUser({ email: 'jane@app.example', password: secret })
  expect(await errorOf(again)).toEqual([409, 'AccountNameInUse', 'name already in use'])
  const wrong = client.logIn(Credentials.emailPassword('jane@app.example', 'not the one'))
  expect(await errorOf(wrong)).toEqual([401, 'InvalidPassword', expect.stringContaining('unauthorized')])
  const unknown = client.logIn(Credentials.emailPassword('nobody@app.example', secret))
  expect(await errorOf(unknown)).toEqual([401, 'InvalidPassword', expect.stringContaining('unauthorized')])
  const short = client.emailPasswordAuth.registerUser({ email: 'short@app.example', password: '12345' })
  expect(await errorOf(short)).toEqual([400, 'BadRequest', 'password must be between 6 and 128 characters'])
  expect((await client.logIn(Credentials.emailPassword('jane@app.example', secret))).id).toBe(user.id)
})

test('a user of Dossier logs in by a proven address and their password', async () => {
  const user = await place.client().logIn(Credentials.emailPassword('jane@acme.example', secret))
  expect(user.id).toBe(place.jane.id)
  const wrong = place.client().logIn(Credentials.emailPassword('jane@acme.example', 'not the one'))
  expect(await errorOf(wrong)).toEqual([401, 'InvalidPassword', expect.anything()])
  const taking = place.client().emailPasswordAuth.registerUser({ email: 'jane@acme.example', password: 'another one' })
  expect(await errorOf(taking)).toEqual([409, 'AccountNameInUse', 'name already in use'])
})

test('by a function: the same external id is the same user, and what it throws is told', async () => {
  const login = (payload: object) => place.client().logIn(Credentials.function(payload as never))
  const [one, two] = [await login({ name: 'ada', secret: 'open' }), await login({ name: 'ada', secret: 'open' })]
  expect(one.id).toBe(two.id)
  expect(one.profile).toEqual({ name: 'ada' })
  expect(one.identities).toMatchObject([{ id: 'external-ada', providerType: 'custom-function' }])
  expect(await errorOf(login({ name: 'ada' }))).toEqual([401, 'AuthError', 'wrong secret'])
})

test('by an API key of a user, which can be switched off and is shown once', async () => {
  const { user } = await registered('keys@app.example')
  const made = await user.apiKeys.create('device')
  expect(made).toMatchObject({ name: 'device', disabled: false })
  const loggedIn = await place.client().logIn(Credentials.apiKey(made.key))
  expect(loggedIn.id).toBe(user.id)
  expect(await user.apiKeys.fetchAll()).toEqual([{ _id: made._id, name: 'device', disabled: false }])
  await user.apiKeys.disable(made._id)
  expect((await user.apiKeys.fetch(made._id)).disabled).toBe(true)
  expect(await errorOf(place.client().logIn(Credentials.apiKey(made.key)))).toEqual([401, 'APIKeyNotFound', 'invalid API key'])
  await user.apiKeys.enable(made._id)
  expect((await place.client().logIn(Credentials.apiKey(made.key))).id).toBe(user.id)
  await user.apiKeys.delete(made._id)
  expect(await errorOf(place.client().logIn(Credentials.apiKey(made.key)))).toEqual([401, 'APIKeyNotFound', 'invalid API key'])
  expect(JSON.stringify(await place.domain.users.get(user.id as never))).not.toContain(made.key)
  const anonymous = await place.client().logIn(Credentials.anonymous(false))
  expect(await errorOf(anonymous.apiKeys.create('x'))).toEqual([400, 'BadRequest', 'an anonymous user cannot have API keys'])
})

test('an identity is linked to a user, who stays the same; one that somebody uses is not', async () => {
  const client = place.client()
  const user = await client.logIn(Credentials.anonymous(false))
  await client.emailPasswordAuth.registerUser({ email: 'linked@app.example', password: secret })
  await user.linkCredentials(Credentials.emailPassword('linked@app.example', secret))
  expect((await place.client().logIn(Credentials.emailPassword('linked@app.example', secret))).id).toBe(user.id)
  await user.linkCredentials(Credentials.function({ name: 'linked', secret: 'open' } as never))
  expect(user.identities.map(({ providerType }) => providerType)).toEqual(['anon-user', 'local-userpass', 'custom-function'])
  expect((await place.client().logIn(Credentials.function({ name: 'linked', secret: 'open' } as never))).id).toBe(user.id)
  // The person is one: the same password signs them in at Dossier's own page as soon as their address is proved.
  expect(await place.domain.users.get(user.id as never)).toMatchObject({ profile: { email: 'linked@app.example' }, cameBy: place.app.id })

  const refused = [400, 'BadRequest', expect.stringContaining('invalid user link request')]
  const { user: somebody } = await registered('somebody@app.example')
  expect(await errorOf(user.linkCredentials(Credentials.emailPassword('somebody@app.example', secret)))).toEqual(refused)
  const other = await place.client().logIn(Credentials.anonymous(false))
  expect(await errorOf(other.linkCredentials(Credentials.function({ name: 'linked', secret: 'open' } as never)))).toEqual(refused)
  await client.emailPasswordAuth.registerUser({ email: 'second@app.example', password: secret })
  expect(await errorOf(somebody.linkCredentials(Credentials.emailPassword('second@app.example', secret)))).toEqual(refused)
  expect(await errorOf(other.linkCredentials(Credentials.emailPassword('second@app.example', 'another password')))).toEqual([
    401,
    'InvalidPassword',
    'invalid username/password (unauthorized)',
  ])
})

test('an expired access token is refreshed by the SDK; a revoked session logs out', async () => {
  const { user } = await registered('refresh@app.example')
  const before = user.accessToken as string
  const [header, , signature] = before.split('.')
  user.accessToken = `${header}.${Buffer.from(JSON.stringify({ exp: 1, iat: 0, sub: user.id })).toString('base64url')}.${signature}`
  expect(await user.callFunction('who')).toMatchObject({ id: user.id })
  expect(user.accessToken).not.toBe(before)
  const held = user.accessToken as string
  await user.logOut()
  expect(user.isLoggedIn).toBe(false)
  expect((await place.call('GET', '/auth/profile', { token: held })).body).toMatchObject({ error_code: 'InvalidSession' })
})

test('switching users, and deleting one', async () => {
  const client = place.client()
  const one = await client.logIn(Credentials.anonymous(false))
  const two = await client.logIn(Credentials.anonymous(false))
  expect(client.currentUser?.id).toBe(two.id)
  client.switchUser(one)
  expect(client.currentUser?.id).toBe(one.id)
  await client.deleteUser(one)
  expect(one.state).toBe('removed')
  expect(await place.domain.users.find(one.id as never)).toBeUndefined()
  const jane = await place.client().logIn(Credentials.emailPassword('jane@acme.example', secret))
  await place.call('DELETE', '/auth/delete', { token: jane.accessToken })
  const kept = await place.domain.users.get(place.jane.id)
  expect(kept.identities).toEqual([])
})

test('nobody who was deactivated gets in, or goes on', async () => {
  const { user } = await registered('off@app.example')
  const { accessToken: token, refreshToken } = user
  await place.domain.users.deactivate(user.id as never, { kind: 'system' })
  expect(await errorOf(place.client().logIn(Credentials.emailPassword('off@app.example', secret)))).toEqual([
    401,
    'UserDisabled',
    'user is disabled',
  ])
  expect((await place.call('POST', '/auth/session', { token: refreshToken })).status).toBe(401)
  expect((await place.call('GET', '/auth/profile', { token })).status).toBe(401)
})

test('of many first logins with one identity at once, one makes the user', async () => {
  const users = await Promise.all(
    Array.from({ length: 8 }, () => place.client().logIn(Credentials.function({ name: 'many', secret: 'open' } as never))),
  )
  expect(new Set(users.map(({ id }) => id)).size).toBe(1)
})

test('what is not there, switched off or malformed is told in the form of the API', async () => {
  expect((await place.call('GET', '/app/none-abcde/location')).body).toMatchObject({ error_code: 'AppNotFound' })
  const location = await place.call('GET', `/app/${place.clientAppId}/location`)
  expect(location.body).toEqual({
    deployment_model: 'GLOBAL',
    location: 'US-VA',
    hostname: place.issuer,
    ws_hostname: place.issuer.replace('http', 'ws'),
  })
  const login = (type: string, body: unknown) => place.call('POST', `/app/${place.clientAppId}/auth/providers/${type}/login`, { body })
  expect(await login('oauth2-google', {})).toMatchObject({ status: 404, body: { error_code: 'AuthProviderNotFound' } })
  expect(await login('__proto__', {})).toMatchObject({ status: 404, body: { error_code: 'AuthProviderNotFound' } })
  expect(await login('local-userpass', {})).toMatchObject({ status: 400, body: { error_code: 'MissingParameter' } })
  expect(await login('local-userpass', '{"a":')).toMatchObject({ status: 400, body: { error_code: 'BadRequest' } })
  expect(await login('local-userpass', '[]')).toMatchObject({ status: 400, body: { error_code: 'BadRequest' } })
  expect(await place.call('GET', '/auth/profile')).toMatchObject({ status: 401, body: { error: 'unauthorized' } })
  expect(await place.call('GET', '/auth/nothing')).toMatchObject({ status: 404, body: { error_code: 'NotFound' } })
  expect(await place.call('PATCH', '/auth/profile')).toMatchObject({ status: 405 })
})

test('a token of another kind opens nothing', async () => {
  const user = await place.client().logIn(Credentials.anonymous(false))
  const { accessToken, refreshToken } = user
  expect((await place.call('GET', '/auth/profile', { token: refreshToken })).status).toBe(401)
  expect((await place.call('POST', '/auth/session', { token: accessToken })).status).toBe(401)
  const forged = (token: string | null, change: object) => {
    const [, payload = ''] = (token ?? '').split('.')
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...change }
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
    return `${none}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
  }
  expect((await place.call('GET', '/auth/profile', { token: forged(accessToken, {}) })).status).toBe(401)
  expect((await place.call('POST', '/auth/session', { token: forged(refreshToken, {}) })).status).toBe(401)
  const userinfo = await fetch(place.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${accessToken}` } })
  expect(userinfo.status).toBe(401)
})
