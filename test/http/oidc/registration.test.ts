/** Applications that register themselves (RFC 7591), and manage what they have registered (RFC 7592). */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import { throttleLimits } from '#src/domain/users/throttle.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { allow, ask, callback, kept, manage, openIdp, register, registeredParty } from '../../support/registration.ts'
import { authorize, relyingParty, signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const system = { kind: 'system' } as const

describe.each(testStores)('on $name', ({ make }) => {
  test('an application registers itself, signs people in after they agreed, and is alone in its tokens', async () => {
    await using idp = await openIdp({ store: make() })
    const other = await register(idp, { redirect_uris: ['https://other.example/callback'] })
    const configuration = await client.dynamicClientRegistration(
      new URL(idp.issuer),
      {
        redirect_uris: [callback],
        client_name: 'A stranger <script>alert(1)</script>',
        grant_types: ['authorization_code', 'refresh_token'],
        post_logout_redirect_uris: ['https://app.example/bye'],
      },
      undefined,
      { execute: [client.allowInsecureRequests] },
    )
    const { client_id: clientId, client_secret: secret } = configuration.clientMetadata()
    const application = await kept(idp, clientId)
    expect(application).toMatchObject({ redirectUris: [callback], firstParty: false, audience: 'client', projectId: 'registered' })
    expect(JSON.stringify(application)).not.toContain(secret)

    const browser = idp.browser()
    const address = client.buildAuthorizationUrl(configuration, { redirect_uri: callback, scope: 'openid', state: 's' })
    const page = await browser.submit(await browser.open(address), '/login', { username: idp.jane.username, password: 'a test password' })
    expect(page.text).toContain('id="consent-allow"')
    expect(page.text).not.toContain('<script>alert')
    const { url } = await browser.submit(page, '/consent')
    const tokens = await client.authorizationCodeGrant(configuration, url, { expectedState: 's' })
    expect(tokens.claims()).toMatchObject({ aud: clientId, sub: idp.jane.id })
    const introspected = await client.tokenIntrospection(configuration, tokens.access_token)
    expect(introspected).toMatchObject({ active: true, aud: [clientId] })

    const own = await signIn(idp)
    expect(await client.tokenIntrospection(configuration, own.tokens.access_token)).toEqual({ active: false })
    expect(decodeJwt(own.tokens.id_token as string).aud).not.toContain(clientId)
    expect(other.client_id).not.toBe(clientId)
  })

  test('it reads, changes and removes what it has registered, by a token that changes with it', async () => {
    await using idp = await openIdp({ store: make() })
    const made = await register(idp, { redirect_uris: [callback], client_name: 'First', logo_uri: 'https://app.example/logo.png' })
    expect(made).toMatchObject({
      status: 201,
      client_secret: expect.any(String),
      registration_client_uri: idp.url(`/oauth/v2/register/${made.client_id}`).href,
    })
    for (const name of ['access_token_type', 'require_pkce', 'additional_origins']) expect(made).not.toHaveProperty(name)
    const { client_secret: _secret, client_secret_expires_at: _never, ...told } = made
    const read = await ask(made.registration_client_uri, 'GET', undefined, made.registration_access_token)
    expect(read).toEqual({ ...told, status: 200 })
    expect(await idp.domain.stores.artifacts.find('RegistrationAccessToken', made.registration_access_token)).toBeUndefined()
    expect(read).toMatchObject({ status: 200, client_id: made.client_id, client_name: 'First', redirect_uris: [callback] })
    // What is stored is a hash, which is not shown.
    expect(read).not.toHaveProperty('client_secret')

    const change = { client_id: made.client_id, client_secret: made.client_secret, redirect_uris: [callback], client_name: 'Second' }
    const changed = await ask(made.registration_client_uri, 'PUT', change, made.registration_access_token)
    expect(changed).toMatchObject({ status: 200, client_name: 'Second' })
    expect(changed).not.toHaveProperty('logo_uri')
    expect(changed).not.toHaveProperty('client_secret')
    expect(changed.registration_access_token).not.toBe(made.registration_access_token)
    expect((await ask(made.registration_client_uri, 'GET', undefined, made.registration_access_token)).status).toBe(401)
    expect((await kept(idp, made.client_id)).name).toBe('Second')
    const application = await kept(idp, made.client_id)
    const { tokens } = await signInAt(idp, application, made.client_secret as string)

    expect((await ask(made.registration_client_uri, 'DELETE', undefined, changed.registration_access_token)).status).toBe(204)
    expect(await idp.domain.catalogue.find(made.client_id)).toBeUndefined()
    const userinfo = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${tokens.access_token}` } })
    expect(userinfo.status).toBe(401)
    expect((await ask(made.registration_client_uri, 'GET', undefined, changed.registration_access_token)).status).toBe(401)
  })

  test('an initial access token lets any number register, until it is revoked', async () => {
    await using idp = await startIdp({ store: make() })
    await allow(idp, 'token')
    const { registrationTokens } = idp.domain
    const metadata = { redirect_uris: [callback] }
    expect(await register(idp, metadata)).toMatchObject({ status: 401, error: 'invalid_token' })
    expect(await register(idp, metadata, 'iat_unknown')).toMatchObject({ status: 401 })
    const any = await registrationTokens.create({ name: 'partners' }, system)
    expect((await register(idp, metadata, any.token)).status).toBe(201)
    expect((await register(idp, metadata, any.token)).status).toBe(201)
    expect(await registrationTokens.list()).toEqual([{ id: any.id, name: 'partners', createdAt: expect.any(Date) }])
    expect(await registrationTokens.revoke(any.id, system)).toBe(true)
    expect((await register(idp, metadata, any.token)).status).toBe(401)
    expect(await registrationTokens.revoke(any.id, system)).toBe(false)
    const trail = await idp.domain.stores.audit.list({ kind: 'registrationToken', id: any.id }, { limit: 5 })
    expect(trail.map(({ type }) => type)).toEqual(['registration_token.revoked', 'registration_token.created'])
    expect(JSON.stringify(trail)).not.toContain(any.token)
  })

  test.each([1, 2, 5])(
    'with an initial access token for %i applications exactly so many register, at once at two servers',
    async (uses) => {
      const store = make()
      await using idp = await startIdp({ store })
      await using other = await startIdp({ store })
      await allow(idp, 'token')
      const { registrationTokens } = idp.domain
      const { id, token } = await registrationTokens.create({ name: 'partners', uses }, system)
      // What did not come to be uses nothing up.
      expect((await register(idp, { redirect_uris: ['http://app.example/'] }, token)).status).toBe(400)
      expect(await registrationTokens.list()).toEqual([{ id, name: 'partners', uses, createdAt: expect.any(Date) }])
      await expect.poll(async () => (await other.domain.catalogue.root()).settings.dynamicClientRegistration).toBe('token')
      const metadata = { redirect_uris: [callback] }
      const answers = await Promise.all(Array.from({ length: 12 }, (_, each) => register(each % 2 ? idp : other, metadata, token)))
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(uses)
      for (const { status, error } of answers) if (status !== 201) expect([status, error]).toEqual([401, 'invalid_token'])
      expect(await idp.domain.catalogue.listApplications('registered')).toHaveLength(uses)
      expect((await register(idp, metadata, token)).status).toBe(401)
      expect(await registrationTokens.list()).toEqual([])
    },
  )
})

async function signInAt(idp: Idp, application: Application, secret: string) {
  const configuration = await relyingParty(idp, application, secret)
  const done = await authorize(idp, configuration, { application })
  const checks = { pkceCodeVerifier: done.codeVerifier, expectedNonce: done.nonce, expectedState: done.state }
  return { tokens: await client.authorizationCodeGrant(configuration, done.callback, checks) }
}

test('registration is open, by token or closed as the setting says, from one request to the next', async () => {
  await using idp = await startIdp()
  const discovery = async () => (await (await fetch(idp.url('/.well-known/openid-configuration'))).json()) as Record<string, unknown>
  const metadata = { redirect_uris: [callback] }
  expect(await register(idp, metadata)).toMatchObject({
    status: 403,
    error: 'access_denied',
    error_description: expect.stringContaining('dynamicClientRegistration'),
  })
  expect(await discovery()).not.toHaveProperty('registration_endpoint')
  await allow(idp, 'open')
  expect((await register(idp, metadata)).status).toBe(201)
  expect((await discovery()).registration_endpoint).toBe(idp.url('/oauth/v2/register').href)
  await allow(idp, 'closed')
  expect((await register(idp, metadata)).status).toBe(403)
})

test('strangers get nothing of what is ours to give', async () => {
  await using idp = await openIdp()
  const made = await register(idp, {
    redirect_uris: [callback],
    client_id: 'chosen',
    client_secret: 'chosen',
    first_party: true,
    firstParty: true,
    access_token_type: 'jwt',
    machine_user_id: idp.jane.id,
    additional_origins: ['https://evil.example'],
    fapi_profile: '1.0 Final',
    audience: 'project',
    __proto__: { firstParty: true },
  })
  expect(made.status).toBe(201)
  expect(made.client_id).not.toBe('chosen')
  expect(made.client_secret).not.toBe('chosen')
  const application = await kept(idp, made.client_id)
  expect(application).toMatchObject({
    firstParty: false,
    audience: 'client',
    accessTokenType: 'bearer',
    additionalOrigins: [],
    clockSkewSeconds: 0,
  })
  expect(application).not.toHaveProperty('forwardAuth')
  expect(application).not.toHaveProperty('resourceIndicators')
})

test.each<[string, unknown, string]>([
  ['no redirect URI', {}, 'invalid_redirect_uri'],
  ['a redirect URI without https', { redirect_uris: ['http://app.example/callback'] }, 'invalid_redirect_uri'],
  ['a redirect URI with a fragment', { redirect_uris: ['https://app.example/#x'] }, 'invalid_redirect_uri'],
  ['a redirect URI that is a script', { redirect_uris: ['javascript:alert(1)'], application_type: 'native' }, 'invalid_redirect_uri'],
  ['a software statement', { redirect_uris: [callback], software_statement: 'x.y.z' }, 'unapproved_software_statement'],
  [
    'client credentials',
    { redirect_uris: [callback], grant_types: ['authorization_code', 'client_credentials'] },
    'invalid_client_metadata',
  ],
  ['a grant that nobody knows', { redirect_uris: [callback], grant_types: ['magic'] }, 'invalid_client_metadata'],
  ['an algorithm that nobody knows', { redirect_uris: [callback], id_token_signed_response_alg: 'none' }, 'invalid_client_metadata'],
  ['a logo that is a script', { redirect_uris: [callback], logo_uri: 'javascript:alert(1)' }, 'invalid_client_metadata'],
  [
    'a sector that is a private address',
    { redirect_uris: [callback], subject_type: 'pairwise', sector_identifier_uri: 'https://127.0.0.1/' },
    'invalid_client_metadata',
  ],
  ['no object', [], 'invalid_request'],
  ['no JSON', '{', 'invalid_request'],
])('%s is refused', async (_, metadata, error) => {
  await using idp = await openIdp()
  const answer = await register(idp, metadata)
  expect(answer).toMatchObject({ status: 400, error, error_description: expect.any(String) })
})

test('nobody manages another’s registration', async () => {
  await using idp = await openIdp()
  const one = await register(idp, { redirect_uris: [callback] })
  const two = await register(idp, { redirect_uris: [callback] })
  expect((await ask(one.registration_client_uri, 'GET', undefined, 'unknown')).status).toBe(401)
  expect((await ask(one.registration_client_uri, 'DELETE', undefined, two.registration_access_token)).status).toBe(401)
  const ours = idp.url(`/oauth/v2/register/${idp.web.clientId}`)
  expect((await ask(ours, 'DELETE', undefined, one.registration_access_token)).status).toBe(401)
  expect(await idp.domain.catalogue.find(idp.web.clientId)).toBeDefined()
  expect(await idp.domain.catalogue.find(one.client_id)).toBeDefined()
})

test('every way to prove who one is can be registered, and works', async () => {
  await using idp = await openIdp()
  for (const method of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'none'] as const) {
    const made = await register(idp, { redirect_uris: [callback], token_endpoint_auth_method: method })
    expect(made.status, method).toBe(201)
    const authentication = {
      client_secret_basic: client.ClientSecretBasic,
      client_secret_post: client.ClientSecretPost,
      client_secret_jwt: client.ClientSecretJwt,
      none: client.None,
    }[method](made.client_secret as string)
    const configuration = await client.discovery(new URL(idp.issuer), made.client_id, {}, authentication, {
      execute: [client.allowInsecureRequests],
    })
    const done = await authorize(idp, configuration, { application: await kept(idp, made.client_id) })
    const checks = { pkceCodeVerifier: done.codeVerifier, expectedNonce: done.nonce, expectedState: done.state }
    expect((await client.authorizationCodeGrant(configuration, done.callback, checks)).claims()?.sub, method).toBe(idp.jane.id)
  }
})

test('whoever registers without end must wait; many at once make one project', async () => {
  await using idp = await openIdp()
  const answers = await Promise.all(Array.from({ length: throttleLimits.address.free }, () => register(idp, { redirect_uris: [callback] })))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  expect((await idp.domain.catalogue.listProjects()).filter(({ name }) => name === 'Registered')).toHaveLength(1)
  expect(await register(idp, { redirect_uris: [callback] })).toMatchObject({ status: 429, error: 'temporarily_unavailable' })
})

test('whoever has an IPv6 network is one, whichever of its addresses registers, and is told how long to wait', async () => {
  const at = new Date('2026-03-01T10:00:30Z')
  await using idp = await openIdp({ now: () => at, environment: { DOSSIER_TRUST_PROXY: '1' } })
  const from = (address: string) => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address }
    return fetch(idp.url('/oauth/v2/register'), { method: 'POST', headers, body: '{}' })
  }
  for (let time = 0; time < throttleLimits.address.free; time += 1) expect((await from(`2001:db8::${time}:1`)).status).toBe(400)
  for (const address of ['2001:db8::2', '2001:db8:0:0:ffff:ffff:ffff:ffff']) {
    const refused = await from(address)
    expect([refused.status, refused.headers.get('retry-after')], address).toEqual([429, '1'])
  }
  for (const address of ['2001:db8:0:1::1', '2001:db9::1', '192.0.2.1', '::1']) expect((await from(address)).status, address).toBe(400)
  at.setTime(at.getTime() + 1000)
  expect((await from('2001:db8::2')).status).toBe(400)
})

test('what was registered is exported like every application, and an apply of the export changes nothing', async () => {
  await using idp = await openIdp()
  for (const method of ['client_secret_basic', 'none'])
    expect((await register(idp, { redirect_uris: [callback], token_endpoint_auth_method: method })).status).toBe(201)
  const { catalogue } = await idp.domain.provisioning.export()
  const projects = (catalogue.projects as { name: string }[]).filter(({ name }) => name === 'Registered')
  const file = readConfigurationFile(JSON.stringify({ projects }), 'export.json', { environment: () => undefined, file: () => undefined })
  const changes = await idp.domain.provisioning.apply(file, { kind: 'system' })
  expect(changes).toHaveLength(3)
  expect(changes.filter(({ change }) => change !== 'none')).toEqual([])
})

test('a change names its own client id and secret, and nothing that is for the server to say', async () => {
  await using idp = await openIdp()
  const made = await register(idp)
  const { client_id, client_secret } = made
  const application = await kept(idp, client_id)
  const right = { client_id, redirect_uris: [callback] }
  for (const wrong of [
    { client_id: undefined },
    { client_id: idp.web.clientId },
    { client_secret: 'another' },
    { client_secret: '' },
    { client_secret: {} },
    // What is stored is not what proves who one is.
    { client_secret: application.clientSecretHash },
    { registration_access_token: made.registration_access_token },
    { client_id_issued_at: 1 },
    { software_statement: 'x.y.z' },
    { redirect_uris: ['http://app.example/'] },
  ]) {
    expect((await manage(made, 'PUT', { ...right, ...wrong })).status, JSON.stringify(wrong)).toBe(400)
  }
  expect(await kept(idp, client_id)).toEqual(application)
  // Whoever has taken it on in a configuration file still has it there.
  await idp.domain.catalogue.commit({ putApplications: [{ ...application, provisionedBy: 'a file' }], events: [] })
  expect((await manage(made, 'PUT', { ...right, client_secret })).status).toBe(200)
  expect((await kept(idp, client_id)).provisionedBy).toBe('a file')
})

test('a secret is told when it is made, and is made when the way to prove who one is needs another', async () => {
  await using idp = await openIdp()
  let made = await register(idp, { redirect_uris: [callback], token_endpoint_auth_method: 'none' })
  expect(made).not.toHaveProperty('client_secret')
  const change = async (token_endpoint_auth_method: string) => {
    const { client_id } = made
    const body = { client_id, redirect_uris: [callback], token_endpoint_auth_method, jwks_uri: 'https://app.example/keys' }
    made = await manage(made, 'PUT', body)
    expect(made).toMatchObject({ status: 200, token_endpoint_auth_method })
    const read = await manage(made, 'GET')
    for (const name of ['client_secret', 'client_secret_expires_at']) expect(read).not.toHaveProperty(name)
    return made.client_secret
  }
  const first = await change('client_secret_basic')
  expect(first).toEqual(expect.any(String))
  expect(made.client_secret_expires_at).toBe(0)
  expect(await change('client_secret_post')).toBeUndefined()
  const mac = await change('client_secret_jwt')
  expect(mac).toEqual(expect.any(String))
  const application = await kept(idp, made.client_id)
  expect(application.clientSecretHash).toBeUndefined()
  expect(JSON.stringify(application)).not.toContain(mac)
  expect(await change('client_secret_jwt')).toBeUndefined()
  const third = await change('client_secret_basic')
  expect(new Set([first, mac, third, undefined]).size).toBe(4)
  for (const method of ['private_key_jwt', 'none']) {
    expect(await change(method)).toBeUndefined()
    const { clientSecretHash, clientSecretSealed } = await kept(idp, made.client_id)
    expect([clientSecretHash, clientSecretSealed]).toEqual([undefined, undefined])
  }
})

test('what is registered stays its owner’s to manage when registration is closed', async () => {
  await using idp = await openIdp()
  const made = await register(idp)
  await allow(idp, 'closed')
  expect((await manage(made, 'GET')).status).toBe(200)
  const changed = await manage(made, 'PUT', { client_id: made.client_id, redirect_uris: [callback], client_name: 'Second' })
  expect(changed).toMatchObject({ status: 200, client_name: 'Second' })
  expect((await manage(changed, 'DELETE')).status).toBe(204)
})

test('the owner of an application that is switched off is told so, and keeps the token for when it is on again', async () => {
  await using idp = await openIdp()
  const made = await register(idp)
  const application = await kept(idp, made.client_id)
  const { catalogue } = idp.domain
  await catalogue.commit({ putApplications: [{ ...application, active: false }], events: [] })
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const body = method === 'PUT' ? { client_id: made.client_id, redirect_uris: [callback] } : undefined
    const refused = { status: 403, error: 'access_denied', error_description: 'the application is deactivated' }
    expect(await manage(made, method, body), method).toEqual(refused)
  }
  await catalogue.commit({ putApplications: [application], events: [] })
  expect((await manage(made, 'GET')).status).toBe(200)
})

test.each(['EdDSA', 'PS256'])('a key is made for %s when an application registers for it, for many at once too', async (algorithm) => {
  await using idp = await openIdp()
  const what = ['id_token', 'userinfo', 'introspection', 'authorization'].map((each) => `${each}_signed_response_alg`)
  const answers = await Promise.all(what.map((name) => register(idp, { redirect_uris: [callback], [name]: algorithm })))
  answers.forEach((answer, index) => {
    expect(answer).toMatchObject({ status: 201, [what[index] as string]: algorithm })
  })
  const { tokens, made } = await registeredParty(idp, { id_token_signed_response_alg: algorithm })
  expect(decodeProtectedHeader(tokens.id_token as string).alg).toBe(algorithm)
  expect(tokens.claims()).toMatchObject({ aud: made.client_id, sub: idp.jane.id })
  const { keys } = (await (await fetch(idp.url('/oauth/v2/keys'))).json()) as { keys: { alg: string }[] }
  expect(keys.filter(({ alg }) => alg === algorithm)).toHaveLength(1)
})

test('request objects may come from an address with a fragment, which names their version', async () => {
  await using idp = await openIdp()
  const request_uris = ['https://app.example/request.jwt#hash']
  const made = await register(idp, { redirect_uris: [callback], request_uris })
  expect(made).toMatchObject({ status: 201, request_uris })
  expect((await kept(idp, made.client_id)).requestUris).toEqual(request_uris)
})
