/** The admin API, with the bodies of the documentation. */
import * as Realm from 'realm-web'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dataSourceFiles, functionFiles, type Place, providersFile, startPlace } from './place.ts'

let place: Place
let token: string
let pat: string
beforeAll(async () => {
  place = await startPlace({
    ...providersFile({
      'anon-user': {},
      'api-key': {},
      'oauth2-google': { config: { clientId: 'id' }, secret_config: { clientSecret: 'google' } },
      'custom-token': { config: { signingAlgorithm: 'HS256', audience: [] } },
      'local-userpass': { config: { runConfirmationFunction: true, confirmationFunctionName: 'confirm' } },
    }),
    ...dataSourceFiles,
    ...functionFiles({
      confirm: 'exports = () => ({ status: "pending" })',
      onUserCreation: 'exports = () => {}',
      spare: 'exports = () => 1',
    }),
  })
  const admin = await place.domain.users.create({ kind: 'machine', username: 'admin-tool', profile: {}, admin: true }, { kind: 'system' })
  pat = (await place.domain.users.createToken(admin.id, { name: 'tool' }, { kind: 'system' })).token
  const { status, body } = await ask('POST', '/auth/providers/mongodb-cloud/login', { username: 'admin-tool', apiKey: pat }, '')
  expect([status, body]).toEqual([
    200,
    { access_token: expect.any(String), refresh_token: expect.any(String), user_id: admin.id, device_id: expect.any(String) },
  ])
  token = body.access_token
})
afterAll(() => place[Symbol.asyncDispose]())

// biome-ignore lint/suspicious/noExplicitAny: each test knows the form that it expects
async function ask(method: string, path: string, body?: unknown, by = token): Promise<{ status: number; body: any }> {
  const reply = await fetch(`${place.issuer}/api/admin/v3.0${path}`, {
    method,
    headers: { ...(by && { authorization: `Bearer ${by}` }), 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, body: text === '' ? undefined : JSON.parse(text) }
}
const app = (method: string, path: string, body?: unknown) => ask(method, `/groups/5f/apps/${place.app.id}${path}`, body)
const idOf = async (path: string, name: string) => (await app('GET', path)).body.find((each: { name: string }) => each.name === name)._id

test('only administrators get in, and only while they are', async () => {
  const login = (apiKey: unknown) => ask('POST', '/auth/providers/mongodb-cloud/login', { username: 'x', apiKey }, '')
  const jane = await place.domain.users.create({ kind: 'machine', username: 'nobody', profile: {} }, { kind: 'system' })
  const own = await place.domain.users.createToken(jane.id, { name: 'x' }, { kind: 'system' })
  for (const key of [own.token, 'pat_wrong', undefined, { $gt: '' }]) expect((await login(key)).status).toBe(401)
  for (const by of ['', 'wrong', pat]) expect((await ask('GET', '/groups/5f/apps', undefined, by)).status).toBe(401)
  const { body } = await login(pat)
  expect((await ask('GET', '/groups/5f/apps', undefined, body.refresh_token)).status).toBe(401)
  expect(await ask('POST', '/auth/session', undefined, body.refresh_token)).toEqual({
    status: 201,
    body: { access_token: expect.any(String) },
  })
  expect((await ask('DELETE', '/auth/session', undefined, body.refresh_token)).status).toBe(204)
  expect((await ask('POST', '/auth/session', undefined, body.refresh_token)).status).toBe(401)
  expect(JSON.stringify(await place.domain.stores.artifacts.list('AdminSession', { limit: 50 }))).not.toContain(body.access_token)
  const user = await place.client().logIn(Realm.Credentials.anonymous(false))
  expect((await ask('GET', '/groups/5f/apps', undefined, user.accessToken as string)).status).toBe(401)
})

test('apps are listed, made and removed', async () => {
  expect((await ask('GET', '/groups/5f/apps')).body).toMatchObject([{ _id: place.app.id, client_app_id: 'myapp-abcde', name: 'My app' }])
  const made = await ask('POST', '/groups/5f/apps', { name: 'second' })
  expect(made).toMatchObject({ status: 201, body: { name: 'second', client_app_id: expect.stringMatching(/^second-[a-z]{5}$/) } })
  expect((await ask('DELETE', `/groups/5f/apps/${made.body._id}`)).status).toBe(204)
  expect(await ask('GET', `/groups/5f/apps/${made.body._id}`)).toMatchObject({ status: 404, body: { error_code: 'AppNotFound' } })
})

test('providers are patched as the documentation has it', async () => {
  const providerId = await idOf('/auth_providers', 'custom-token')
  const body = {
    _id: providerId,
    name: 'custom-token',
    type: 'custom-token',
    metadata_fields: [{ required: true, name: 'jwt.field.path', field_name: 'metadataFieldName' }],
    config: { audience: [], requireAnyAudience: false, signingAlgorithm: 'HS256', useJWKURI: false },
    secret_config: { signingKeys: ['jwtKey'] },
    disabled: true,
  }
  expect(await app('PATCH', `/auth_providers/${providerId}`, body)).toEqual({ status: 204, body: undefined })
  expect((await app('GET', `/auth_providers/${providerId}`)).body).toEqual(body)
  const google = await idOf('/auth_providers', 'oauth2-google')
  const fields = ['name', 'first_name', 'last_name', 'picture', 'gender', 'birthday', 'min_age', 'max_age', 'email']
  const patch = {
    _id: google,
    name: 'oauth2-google',
    type: 'oauth2-google',
    redirect_uris: ['https://example.com/'],
    config: { clientId: '<Google Client ID>' },
    secret_config: { clientSecret: '<Google Client Secret Name>' },
    metadata_fields: fields.map((name) => ({ required: false, name })),
    disabled: false,
  }
  expect((await app('PATCH', `/auth_providers/${google}`, patch)).status).toBe(204)
  expect((await app('GET', `/auth_providers/${google}`)).body).toEqual(patch)
  expect((await app('PUT', `/auth_providers/${google}/disable`)).status).toBe(204)
  expect((await app('GET', `/auth_providers/${google}`)).body.disabled).toBe(true)
  expect(await app('PATCH', `/auth_providers/${google}`, { config: { clientId: 5 } })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('oauth2-google.config.clientId') },
  })
  expect(await app('PATCH', '/auth_providers/63c060ed32043ef4c93c2a9c', {})).toMatchObject({
    status: 404,
    body: { error_code: 'AuthProviderNotFound' },
  })
  expect(await app('POST', '/auth_providers', { type: 'anon-user' })).toMatchObject({
    status: 409,
    body: { error_code: 'AuthProviderAlreadyExists' },
  })
  expect((await app('DELETE', `/auth_providers/${google}`)).status).toBe(204)
  const created = await app('POST', '/auth_providers', {
    name: 'custom-function',
    type: 'custom-function',
    config: { authFunctionId: await idOf('/functions', 'spare') },
  })
  expect(created.status).toBe(201)
  expect((await app('GET', `/auth_providers/${created.body._id}`)).body.config).toMatchObject({ authFunctionName: 'spare' })
})

test('custom user data is configured by ids, and what it uses is not removed', async () => {
  const [service, creation] = [await idOf('/services', 'mongodb-atlas'), await idOf('/functions', 'onUserCreation')]
  const body = {
    mongo_service_id: service,
    database_name: 'myapp',
    collection_name: 'users',
    user_id_field: 'user_account_id',
    on_user_creation_function_id: creation,
    enabled: true,
  }
  expect(await app('PATCH', '/custom_user_data', body)).toEqual({ status: 204, body: undefined })
  expect((await app('GET', '/custom_user_data')).body).toEqual(body)
  expect(await app('DELETE', `/functions/${creation}`)).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('there is no function "onUserCreation"') },
  })
  expect(await app('DELETE', `/services/${service}`)).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('there is no data source') },
  })
  expect((await app('PATCH', '/custom_user_data', { ...body, on_user_creation_function_id: '' })).status).toBe(204)
  expect((await app('DELETE', `/functions/${creation}`)).status).toBe(204)
})

test('functions, secrets, values and the life of refresh tokens', async () => {
  const made = await app('POST', '/functions', { name: 'greet', source: 'exports = () => context.values.get("greeting")', private: false })
  expect(made).toMatchObject({ status: 201, body: { name: 'greet' } })
  expect((await app('POST', '/values', { name: 'greeting', value: 'hello' })).status).toBe(201)
  const user = await place.client().logIn(Realm.Credentials.anonymous(false))
  expect(await user.callFunction('greet')).toBe('hello')
  expect((await app('PUT', `/functions/${made.body._id}`, { source: 'exports = () => "changed"' })).status).toBe(204)
  expect(await user.callFunction('greet')).toBe('changed')
  expect((await app('GET', `/functions/${made.body._id}`)).body).toMatchObject({
    name: 'greet',
    source: 'exports = () => "changed"',
    private: false,
  })
  const secret = await app('POST', '/secrets', { name: 'apiKey', value: 'very secret' })
  expect(secret.status).toBe(201)
  expect((await app('GET', '/secrets')).body).toEqual([{ _id: secret.body._id, name: 'apiKey' }])
  expect((await app('PUT', `/secrets/${secret.body._id}`, { value: 'another' })).status).toBe(204)
  expect((await app('DELETE', `/secrets/${secret.body._id}`)).status).toBe(204)
  expect((await app('PUT', '/security/refresh_token_expiration', { expiration_time_seconds: 864000 })).status).toBe(204)
  expect((await app('GET', '/security/refresh_token_expiration')).body).toEqual({ expiration_time_seconds: 864000 })
  for (const wrong of [60, 1e12, 1.5, '864000'])
    expect((await app('PUT', '/security/refresh_token_expiration', { expiration_time_seconds: wrong })).status).toBe(400)
})

test('users are made, listed a page at a time, shut out, let in and removed', async () => {
  const created = await app('POST', '/users', { email: 'made@app.example', password: 'a test password' })
  expect(created).toMatchObject({ status: 201, body: { type: 'normal', disabled: false, data: { email: 'made@app.example' } } })
  const { _id: id } = created.body
  const user = await place.client().logIn(Realm.Credentials.emailPassword('made@app.example', 'a test password'))
  expect(user.id).toBe(id)
  const told = await app('POST', '/users/verify_token', { token: user.accessToken })
  expect(told).toMatchObject({ status: 200, body: { sub: id, domain_id: place.app.id } })
  expect((await app('POST', '/users/verify_token', { token: 'nonsense' })).status).toBe(401)
  expect((await app('GET', `/users/${id}/devices`)).body).toHaveLength(1)
  expect((await app('PUT', `/users/${id}/logout`)).status).toBe(204)
  expect((await place.call('POST', '/auth/session', { token: user.refreshToken })).status).toBe(401)
  expect((await app('PUT', `/users/${id}/disable`)).status).toBe(204)
  expect((await app('GET', `/users/${id}`)).body.disabled).toBe(true)
  expect((await app('PUT', `/users/${id}/enable`)).status).toBe(204)
  for (let more = 0; more < 52; more += 1) await app('POST', '/users', { email: `u${more}@app.example`, password: 'a test password' })
  const first = (await app('GET', '/users')).body as { _id: string }[]
  const second = (await app('GET', `/users?after=${first.at(-1)?._id}`)).body as { _id: string }[]
  expect([first.length, new Set([...first, ...second].map((each) => each._id)).size]).toEqual([50, first.length + second.length])
  expect((await app('DELETE', `/users/${id}`)).status).toBe(204)
  expect(await app('GET', `/users/${id}`)).toMatchObject({ status: 404, body: { error_code: 'UserNotFound' } })
  expect((await app('GET', `/users/${place.jane.id}`)).status).toBe(404)
})

test('who has registered and not confirmed is pending, and confirmed or removed by somebody', async () => {
  const { emailPasswordAuth } = place.client()
  const register = (email: string) => emailPasswordAuth.registerUser({ email, password: 'a test password' })
  await register('wait+1@app.example')
  await register('wait+2@app.example')
  expect((await app('GET', '/user_registrations/pending_users')).body).toMatchObject([
    { domain_id: place.app.id, login_ids: [{ id_type: 'email', id: 'wait+1@app.example' }], user_id: '' },
    { login_ids: [{ id: 'wait+2@app.example' }] },
  ])
  const by = (email: string) => `/user_registrations/by_email/${encodeURIComponent(email)}`
  expect((await app('POST', `${by('wait+1@app.example')}/run_confirm`)).status).toBe(202)
  expect((await app('POST', `${by('wait+1@app.example')}/confirm`)).status).toBe(204)
  await place.client().logIn(Realm.Credentials.emailPassword('wait+1@app.example', 'a test password'))
  expect((await app('DELETE', by('wait+2@app.example'))).status).toBe(204)
  expect((await app('DELETE', by('wait+2@app.example'))).status).toBe(404)
})

test('keys of the server log in as users of their own', async () => {
  const made = await app('POST', '/api_keys', { name: 'backend' })
  expect(made).toMatchObject({ status: 201, body: { name: 'backend', disabled: false, key: expect.any(String) } })
  const user = await place.client().logIn(Realm.Credentials.apiKey(made.body.key))
  expect((await place.call('GET', '/auth/profile', { token: user.accessToken })).body).toMatchObject({
    type: 'server',
    data: { name: 'backend' },
  })
  expect((await app('PUT', `/api_keys/${made.body._id}/disable`)).status).toBe(204)
  await expect(place.client().logIn(Realm.Credentials.apiKey(made.body.key))).rejects.toThrow('invalid API key')
  expect((await app('GET', '/api_keys')).body).toEqual([{ _id: made.body._id, name: 'backend', disabled: true }])
  expect((await app('DELETE', `/api_keys/${made.body._id}`)).status).toBe(204)
  expect((await app('GET', '/api_keys')).body).toEqual([])
})

test('triggers are made, changed and removed; a function that one runs is in use', async () => {
  const function_id = await idOf('/functions', 'spare')
  const trigger = { name: 'nightly', type: 'SCHEDULED', function_id, config: { schedule: '0 3 * * *' }, disabled: true }
  const made = await app('POST', '/triggers', trigger)
  expect([made.status, made.body]).toEqual([201, { _id: expect.any(String), name: 'nightly', type: 'SCHEDULED' }])
  expect(await app('POST', '/triggers', trigger)).toMatchObject({ status: 409, body: { error_code: 'TriggerDuplicateName' } })
  const at = `/triggers/${made.body._id}`
  expect((await app('GET', at)).body).toEqual({ ...trigger, _id: made.body._id, function_name: 'spare', dead_letters: [] })
  expect(await app('DELETE', `/functions/${function_id}`)).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('triggers/nightly.json: function_name: there is no function "spare"') },
  })
  const login = { ...trigger, type: 'AUTHENTICATION', config: { operation_type: 'LOGIN', providers: ['anon-user'] }, disabled: false }
  expect((await app('PUT', at, login)).status).toBe(204)
  expect((await app('GET', '/triggers')).body).toMatchObject([
    { name: 'nightly', type: 'AUTHENTICATION', config: login.config, disabled: false },
  ])
  for (const [config, fault] of [
    [{ schedule: 'every day' }, 'must be a cron expression of five parts'],
    [{}, 'must be a cron expression of five parts'],
  ] as const) {
    expect(await app('PUT', at, { ...trigger, config })).toMatchObject({ status: 400, body: { error: expect.stringContaining(fault) } })
  }
  expect(await app('PUT', at, { ...login, config: {} })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining('config.operation_type: is missing') },
  })
  expect((await app('PUT', `${at}/resume`)).status).toBe(204)
  expect((await app('DELETE', at)).status).toBe(204)
  expect(await app('GET', at)).toMatchObject({ status: 404, body: { error_code: 'TriggerNotFound' } })
})
