/** Google, Facebook, Apple's shape and any OpenID Connect provider: by what an application brings, and by the redirect flow. */
import { createHmac } from 'node:crypto'
import * as Realm from 'realm-web'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientId, clientSecret, startFacebook, startOpenIdProvider } from '../../support/identityProviders.ts'
import { type Place, providersFile, startPlace } from './place.ts'

const { Credentials } = Realm
const redirect = 'https://app.example/callback?from=google'
const jean = {
  sub: '10769150350006150715113082367',
  name: 'Jean Valjean',
  given_name: 'Jean',
  family_name: 'Valjean',
  picture: 'https://pictures.example/jean.jpg',
  email: 'jean@app.example',
  email_verified: true,
}

let place: Place
let google: Awaited<ReturnType<typeof startOpenIdProvider>>
let facebook: Awaited<ReturnType<typeof startFacebook>>
const providers = (changes: Readonly<Record<string, object>> = {}) => {
  const client = { secret_config: { clientSecret: 'theSecret' }, redirect_uris: [redirect] }
  const oidc = { config: { clientId, issuer: google.issuer }, ...client }
  return providersFile({
    'anon-user': {},
    'oauth2-google': {
      ...oidc,
      metadata_fields: ['name', 'first_name', 'last_name', 'picture', 'email'].map((name) => ({ required: name === 'email', name })),
    },
    'oauth2-facebook': {
      config: { clientId, issuer: facebook.issuer },
      ...client,
      metadata_fields: ['name', 'picture', 'min_age', 'email'].map((name) => ({ required: false, name })),
    },
    'oauth2-apple': { ...oidc },
    'oauth2-keycloak': { ...oidc, metadata_fields: [{ required: false, name: 'groups.0', field_name: 'group' }] },
    ...changes,
  })
}
beforeAll(async () => {
  google = await startOpenIdProvider()
  facebook = await startFacebook((token) => createHmac('sha256', clientSecret).update(token).digest('hex'))
  place = await startPlace(providers(), { environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
  await place.domain.apps.setSecret(place.app.id, 'theSecret', clientSecret, { kind: 'system' })
  google.state.person = jean
})
afterAll(() => Promise.all([place, google, facebook].map((each) => each[Symbol.asyncDispose]())))

const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => 'no error',
    (error: Realm.MongoDBRealmError) => [error.statusCode, error.errorCode, error.error],
  )
const login = (credentials: Realm.Credentials) => place.client().logIn(credentials)
const base = () => `${place.issuer}/api/client/v2.0/app/${place.clientAppId}/auth/providers`

/** What a browser does that an application sends to the redirect flow: where it comes out, and what is in the fragment. */
async function travel(type: string, { query = {}, cookies = true, token = '' } = {}) {
  const parameters = new URLSearchParams({ redirect, state: 'state of the client', ...query })
  const first = await fetch(`${base()}/${type}/login?${parameters}`, {
    redirect: 'manual',
    headers: token ? { authorization: `Bearer ${token}` } : {},
  })
  const cookie = first.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const atProvider = first.headers.get('x-baas-location') ?? first.headers.get('location')
  if (!atProvider) return { status: first.status, body: (await first.json()) as { error_code: string } }
  const back = (await fetch(atProvider, { redirect: 'manual' })).headers.get('location') ?? ''
  const come = () => fetch(back, { redirect: 'manual', headers: cookies ? { cookie } : {} })
  const last = await come()
  const location = last.headers.get('location') ?? ''
  const [address, fragment = ''] = location.split('#')
  return {
    status: last.status,
    atProvider,
    back,
    cookie,
    address,
    come,
    told: Object.fromEntries(fragment.split('&').map((each) => each.split('=').map(decodeURIComponent))),
  }
}

test('Google: a code and an ID token that an application brings', async () => {
  const user = await login(Credentials.google({ authCode: google.newCode({ redirectUri: 'postmessage' }) }))
  const data = { name: 'Jean Valjean', first_name: 'Jean', last_name: 'Valjean', picture: jean.picture, email: jean.email }
  expect(user.profile).toMatchObject({ name: 'Jean Valjean', email: jean.email, pictureUrl: jean.picture })
  const { body } = await place.call('GET', '/auth/profile', { token: user.accessToken })
  expect(body).toMatchObject({ data, identities: [{ id: jean.sub, provider_type: 'oauth2-google', data }] })
  // Android's code has no redirect URI.
  expect((await login(Credentials.google({ authCode: google.newCode({ redirectUri: '' }) }))).id).toBe(user.id)
  expect((await login(Credentials.google({ idToken: await google.idToken(jean) }))).id).toBe(user.id)
  expect(await place.domain.users.get(user.id as never)).toMatchObject({
    profile: { displayName: 'Jean Valjean', givenName: 'Jean', email: jean.email, emailVerified: true },
  })
})

test('Google: what it did not make for this client, or made once, is refused', async () => {
  const code = google.newCode({ redirectUri: 'postmessage' })
  await login(Credentials.google({ authCode: code }))
  const refused = [401, 'AuthError', expect.stringContaining('the provider oauth2-google does not vouch for this login')]
  expect(await errorOf(login(Credentials.google({ authCode: code })))).toEqual(refused)
  for (const token of [
    await google.idToken(jean, { audience: 'somebody-else' }),
    await google.idToken(jean, { expires: '-5m' }),
    await google.forgedIdToken(jean),
    await google.idToken({ ...jean, sub: undefined }),
    'no.token.atall',
  ]) {
    expect(await errorOf(login(Credentials.google({ idToken: token })))).toEqual(refused)
  }
  expect(await place.call('POST', `/app/${place.clientAppId}/auth/providers/oauth2-google/login`, { body: {} })).toMatchObject({
    status: 400,
    body: { error_code: 'MissingParameter', error: 'missing parameter: id_token or authCode' },
  })
})

test('a required field that Google does not tell, and a domain that may not, fail the login in words', async () => {
  const { email: _, ...nameless } = jean
  expect(await errorOf(login(Credentials.google({ idToken: await google.idToken({ ...nameless, sub: '2' }) })))).toEqual([
    401,
    'AuthError',
    "expected field 'email' to be in token metadata",
  ])
  const before = providers()['auth/providers.json']['oauth2-google'] as object
  await place.push(providers({ 'oauth2-google': { ...before, domain_restrictions: ['other.example'] } }))
  const refused = [401, 'DomainNotAllowed', expect.any(String)]
  expect(await errorOf(login(Credentials.google({ idToken: await google.idToken(jean) })))).toEqual(refused)
  const unproved = { ...jean, email: 'me@other.example', email_verified: false }
  expect(await errorOf(login(Credentials.google({ idToken: await google.idToken(unproved) })))).toEqual(refused)
  const proved = { ...jean, sub: '3', email: 'me@Other.example' }
  expect((await login(Credentials.google({ idToken: await google.idToken(proved) }))).isLoggedIn).toBe(true)
  await place.push(providers())
})

test('Facebook: an access token that was made for this application', async () => {
  const person = {
    id: '1007',
    name: 'Cosette',
    first_name: 'Cosette',
    email: 'cosette@app.example',
    age_range: { min: 21 },
    picture: { data: { url: 'https://p.example/c' } },
  }
  const user = await login(Credentials.facebook(facebook.newToken(person)))
  expect(user.identities).toMatchObject([{ id: '1007', providerType: 'oauth2-facebook' }])
  const { body } = await place.call('GET', '/auth/profile', { token: user.accessToken })
  expect(body.data).toEqual({ name: 'Cosette', picture: 'https://p.example/c', min_age: 21, email: 'cosette@app.example' })
  expect(await errorOf(login(Credentials.facebook(facebook.newToken(person, 'another app'))))).toEqual([
    401,
    'AuthError',
    'the access token was not made for this application',
  ])
  expect(await errorOf(login(Credentials.facebook('EAAB-of-nobody')))).toMatchObject([401, 'AuthError', expect.any(String)])
})

test("Apple's shape and any other provider: an ID token", async () => {
  const apple = await login(
    Credentials.apple(await google.idToken({ sub: 'apple.1', email: 'a@privaterelay.example', email_verified: 'true' })),
  )
  expect(apple.identities).toMatchObject([{ id: 'apple.1', providerType: 'oauth2-apple' }])
  const { body } = await place.call('POST', `/app/${place.clientAppId}/auth/providers/oauth2-keycloak/login`, {
    body: { id_token: await google.idToken({ sub: 'k', groups: ['admins'] }) },
  })
  const profile = await place.call('GET', '/auth/profile', { token: body.access_token })
  expect(profile.body.data).toEqual({ group: 'admins' })
})

test.each(['oauth2-google', 'oauth2-facebook', 'oauth2-keycloak'])(
  '%s: the redirect flow ends with tokens in the fragment',
  async (type) => {
    facebook.state.person = { id: '1008', name: 'Marius', email: 'marius@app.example' }
    const device = Buffer.from(JSON.stringify({ platform: 'test', sdkVersion: '2.0.1' })).toString('base64')
    const { status, address, told, atProvider } = await travel(type, { query: { device } })
    expect([status, address]).toEqual([303, redirect])
    expect(told).toEqual({ _baas_ua: expect.any(String), _baas_state: 'state of the client', _baas_client_app_id: place.clientAppId })
    const [accessToken, refreshToken, userId, deviceId] = told._baas_ua?.split('$') ?? []
    expect([refreshToken, deviceId]).toEqual([expect.stringMatching(/^ey/), expect.stringMatching(/^[0-9a-f]{24}$/)])
    expect((await place.call('GET', '/auth/profile', { token: accessToken ?? '' })).body).toMatchObject({
      user_id: userId,
      identities: [{ provider_type: type }],
    })
    if (type !== 'oauth2-facebook') {
      const sent = new URL(atProvider ?? '').searchParams
      expect(sent.get('code_challenge_method')).toBe('S256')
      expect(sent.get('nonce')).toMatch(/^[\w-]{40,}$/)
    }
  },
)

test('the redirect flow goes to registered addresses only, and back in the same browser only, once', async () => {
  for (const wrong of [
    'https://app.example/callback',
    `${redirect}&more=1`,
    'https://evil.example/',
    `${redirect}#x`,
    'javascript:alert(1)',
  ]) {
    const { status, body } = await travel('oauth2-google', { query: { redirect: wrong } })
    expect([status, body?.error_code]).toEqual([400, 'BadRequest'])
  }
  // Somebody else's answer, sent to a person who began nothing.
  expect(await travel('oauth2-google', { cookies: false })).toMatchObject({ status: 400, address: '' })
  const { come } = await travel('oauth2-google')
  expect((await come?.())?.status).toBe(400)
  const unknown = await fetch(`${place.issuer}/api/client/v2.0/auth/callback?state=x&code=y`, { redirect: 'manual' })
  expect([unknown.status, unknown.headers.get('location')]).toEqual([400, null])
  expect(await travel('oauth2-nothing')).toMatchObject({ status: 404, body: { error_code: 'AuthProviderNotFound' } })
  expect(await travel('anon-user')).toMatchObject({ status: 400, body: { error: 'the provider anon-user has no redirect flow' } })
})

test('what the provider denies, or answers with another nonce, comes back as _baas_error', async () => {
  google.state.denies = true
  const denied = await travel('oauth2-google')
  google.state.denies = false
  expect([denied.address, denied.told]).toEqual([
    redirect,
    { _baas_error: expect.stringContaining('access_denied'), _baas_state: 'state of the client', _baas_client_app_id: place.clientAppId },
  ])
  google.state.nonce = 'of another login'
  const replayed = await travel('oauth2-google')
  google.state.nonce = undefined
  expect(replayed.told?._baas_error).toContain('does not vouch for this login')
  expect(replayed.told?._baas_ua).toBeUndefined()
})

test('an identity is linked by the redirect flow, in the browser of the user', async () => {
  const user = await login(Credentials.anonymous(false))
  google.state.person = { ...jean, sub: 'linked', email: 'linked@app.example' }
  const query = { link: 'true', providerRedirectHeader: 'true' }
  // A link that was begun by somebody else, in whose browser it does not end.
  expect((await travel('oauth2-google', { query, token: user.accessToken ?? '', cookies: false })).status).toBe(400)
  const { told } = await travel('oauth2-google', { query, token: user.accessToken ?? '' })
  expect(told).toMatchObject({ _baas_link: 'ok', _baas_ua: expect.stringMatching(new RegExp(`^[^$]+\\$\\$${user.id}\\$`)) })
  await user.refreshProfile()
  expect(user.identities.map(({ providerType }) => providerType)).toEqual(['anon-user', 'oauth2-google'])
  const other = await login(Credentials.anonymous(false))
  const taken = await travel('oauth2-google', { query, token: other.accessToken ?? '' })
  expect(taken.told?._baas_error).toContain('a user already logs in by these credentials')
  expect((await travel('oauth2-google', { query })).status).toBe(401)
})
