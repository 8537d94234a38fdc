/** Everything that an application may ask at the authorization endpoint beyond the usual, with `openid-client`. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { compactDecrypt, createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { type Idp, password, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, signIn } from '../../support/relyingParty.ts'

/** Changes the application `web`, and answers it. */
async function changed(idp: Idp, changes: Partial<Application>): Promise<Application> {
  const application = { ...idp.web, ...changes }
  await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
  return application
}

/** A key pair with the public half as an application publishes it. */
async function keysFor(alg: 'ES256' | 'PS256' | 'RSA-OAEP-256', use: 'sig' | 'enc' = 'sig') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: `${alg} key`, alg, use }] } }
}

const exchange = (configuration: client.Configuration, done: Awaited<ReturnType<typeof authorize>>) =>
  client.authorizationCodeGrant(configuration, done.callback, {
    pkceCodeVerifier: done.codeVerifier,
    expectedNonce: done.nonce,
    expectedState: done.state,
  })

test('the answer comes in the query, in the fragment, or by a form that has a button and no script in it', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const browser = idp.browser()
  const query = await authorize(idp, configuration, { browser, parameters: { response_mode: 'query' } })
  expect((await exchange(configuration, query)).access_token).toEqual(expect.any(String))

  const { callback } = await authorize(idp, configuration, { browser, parameters: { response_mode: 'fragment' } })
  expect(callback.search).toBe('')
  expect(new URLSearchParams(callback.hash.slice(1)).get('code')).toEqual(expect.any(String))

  const address = client.buildAuthorizationUrl(configuration, {
    redirect_uri: idp.web.redirectUris[0] as string,
    scope: 'openid',
    state: '"><script>alert(1)</script>',
    response_mode: 'form_post',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  })
  const page = await browser.open(address)
  expect(page.status).toBe(200)
  expect(page.text).toContain(`action="${idp.web.redirectUris[0]}"`)
  expect(page.text).toContain('id="form-post-submit"')
  expect(page.text).toMatch(/name="code" value="[\w-]+"/)
  expect(page.text).not.toContain('<script>')
  expect(page.headers.get('content-security-policy')).not.toContain('sha256-')
})

test('a signed answer (JARM) verifies, in every way that it can come, errors too', async () => {
  await using idp = await startIdp()
  const application = await changed(idp, { authorizationSignedResponseAlg: 'ES256' })
  const configuration = await relyingParty(idp, application)
  client.useJwtResponseMode(configuration)
  const browser = idp.browser()
  const done = await authorize(idp, configuration, { application, browser })
  expect([...done.callback.searchParams.keys()]).toEqual(['response'])
  expect((await exchange(configuration, done)).access_token).toEqual(expect.any(String))

  const refused = await authorize(idp, configuration, { application, browser: idp.browser(), parameters: { prompt: 'none' } })
  const response = refused.callback.searchParams.get('response') as string
  const { payload } = await jwtVerify(response, createRemoteJWKSet(idp.url('/oauth/v2/keys')), {
    issuer: idp.issuer,
    audience: application.clientId,
    algorithms: ['ES256'],
  })
  expect(payload).toMatchObject({ error: 'login_required', state: refused.state })
})

test('a pushed request is used once; an application that must push can do nothing else', async () => {
  await using idp = await startIdp()
  const application = await changed(idp, { requirePushedAuthorizationRequests: true })
  const configuration = await relyingParty(idp, application)
  const codeVerifier = client.randomPKCECodeVerifier()
  const parameters = {
    redirect_uri: application.redirectUris[0] as string,
    scope: 'openid email',
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  }
  const address = await client.buildAuthorizationUrlWithPAR(configuration, parameters)
  const browser = idp.browser()
  const page = await browser.submit(await browser.open(address), '/login', { username: idp.jane.username, password })
  const tokens = await client.authorizationCodeGrant(configuration, page.url, { pkceCodeVerifier: codeVerifier })
  expect(tokens.claims()?.sub).toBe(idp.jane.id)

  const again = await browser.open(address)
  expect(again.url.searchParams.get('code')).toBeNull()
  const direct = await browser.open(client.buildAuthorizationUrl(configuration, parameters))
  expect(direct.url.searchParams.get('error')).toBe('invalid_request')
  expect(direct.url.searchParams.get('error_description')).toBe('Pushed Authorization Request must be used')
})

test('what only another endpoint takes, and what nobody takes, is refused with a reason', async () => {
  await using idp = await startIdp()
  const authorization = `Basic ${Buffer.from(`${idp.web.clientId}:${idp.secret}`).toString('base64')}`
  const ask = async (path: string, body: Record<string, string>) => {
    const reply = await fetch(idp.url(path), { method: 'POST', headers: { authorization }, body: new URLSearchParams(body) })
    return { status: reply.status, ...((await reply.json()) as object) }
  }
  const request = { scope: 'openid', response_type: 'code', client_id: idp.web.clientId, redirect_uri: idp.web.redirectUris[0] as string }
  for (const path of ['/oauth/v2/par', '/oauth/v2/device_authorization']) {
    expect(await ask(path, { ...request, request_uri: 'urn:ietf:params:oauth:request_uri:x' })).toMatchObject({
      status: 400,
      error: expect.stringMatching(/^(invalid_request|request_uri_not_supported)$/),
      error_description: expect.stringContaining('request_uri'),
    })
    expect(await ask(path, { ...request, registration: '{}' })).toMatchObject({
      status: 400,
      error: 'registration_not_supported',
      error_description: expect.stringContaining('registration'),
    })
  }
})

test('a signed request object counts, by value and from a registered address; nobody else’s address is fetched', async () => {
  const { privateKey, jwks } = await keysFor('PS256')
  let served = ''
  const asked: string[] = []
  const host = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end(served)
  })
  await once(host.listen(0, '127.0.0.1'), 'listening')
  const base = `http://127.0.0.1:${(host.address() as AddressInfo).port}`
  try {
    await using idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
    const application = await changed(idp, { jwks, requireSignedRequestObject: true, requestUris: [`${base}/request.jwt`] })
    const configuration = await relyingParty(idp, application)
    const browser = idp.browser()
    const codeVerifier = client.randomPKCECodeVerifier()
    const parameters = {
      redirect_uri: application.redirectUris[0] as string,
      scope: 'openid',
      state: 'by value',
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    }
    const address = await client.buildAuthorizationUrlWithJAR(configuration, parameters, { key: privateKey, kid: 'PS256 key' })
    const page = await browser.submit(await browser.open(address), '/login', { username: idp.jane.username, password })
    expect(page.url.searchParams.get('code')).not.toBeNull()
    expect(page.url.searchParams.get('state')).toBe('by value')

    served = address.searchParams.get('request') as string
    const byReference = (uri: string) =>
      browser.open(idp.url(`/oauth/v2/authorize?${new URLSearchParams({ client_id: application.clientId, request_uri: uri })}`))
    const referenced = await byReference(`${base}/request.jwt`)
    expect(referenced.url.searchParams.get('code')).not.toBeNull()
    expect(asked).toEqual(['/request.jwt'])

    const foreign = await byReference(`${base}/other.jwt`)
    expect(foreign.status).toBe(400)
    expect(foreign.text).toContain('request_uri is not one that the client has registered')
    expect(asked).toEqual(['/request.jwt'])

    served = 'x'.repeat(70_000)
    const tooLong = await byReference(`${base}/request.jwt`)
    expect(tooLong.text).toContain('request_uri could not be fetched')
    const stranger = await keysFor('PS256')
    served = await new SignJWT({ ...parameters, client_id: application.clientId, response_type: 'code' })
      .setProtectedHeader({ alg: 'PS256', kid: 'PS256 key' })
      .setIssuer(application.clientId)
      .setAudience(idp.issuer)
      .sign(stranger.privateKey)
    expect((await byReference(`${base}/request.jwt`)).url.searchParams.get('code')).toBeNull()
    const plain = await browser.open(client.buildAuthorizationUrl(configuration, parameters))
    expect(plain.url.searchParams.get('code')).toBeNull()
  } finally {
    host.close()
  }
})

test('a private address is not fetched for a request object unless it is allowed', async () => {
  await using idp = await startIdp()
  const uri = 'http://127.0.0.1:9/request.jwt'
  const application = await changed(idp, { requestUris: [uri] })
  const query = new URLSearchParams({ client_id: application.clientId, request_uri: uri })
  const page = await idp.browser().open(idp.url(`/oauth/v2/authorize?${query}`))
  expect(page.status).toBe(400)
  expect(page.text).toContain('request_uri could not be fetched')
})

test('implicit and hybrid answers come for an application that is configured for them, and for no other', async () => {
  await using idp = await startIdp()
  const https = { redirectUris: ['https://app.example/callback'], postLogoutRedirectUris: [] }
  const application = await changed(idp, {
    ...https,
    grantTypes: ['authorizationCode', 'implicit'],
    responseTypes: ['code', 'id_token', 'id_token token', 'code id_token'],
  })
  const configuration = await relyingParty(idp, application)
  const browser = idp.browser()
  const ask = async (type: string) =>
    new URLSearchParams(
      (await authorize(idp, configuration, { application, browser, parameters: { response_type: type } })).callback.hash.slice(1),
    )
  const implicit = await ask('id_token')
  expect(decodeJwt(implicit.get('id_token') as string)).toMatchObject({ sub: idp.jane.id })
  const withToken = await ask('id_token token')
  expect(withToken.get('access_token')).toEqual(expect.any(String))
  const hybrid = await ask('code id_token')
  expect(decodeJwt(hybrid.get('id_token') as string).c_hash).toEqual(expect.any(String))
  expect(hybrid.get('code')).toEqual(expect.any(String))

  const usual = await changed(idp, https)
  const refused = await authorize(idp, configuration, { application: usual, browser, parameters: { response_type: 'id_token' } })
  expect(refused.callback.hash).toContain('error=invalid_request')
})

test('claims are answered as they were asked for, and a subject that is another one is refused', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const ask = (claims: object, more: Record<string, string> = {}) =>
    signIn(idp, { browser, parameters: { claims: JSON.stringify(claims), ...more } })
  const { tokens, configuration } = await ask({
    id_token: { email: { essential: true }, auth_time: { essential: true }, acr: null },
    userinfo: { phone_number: null },
  })
  expect(tokens.claims()).toMatchObject({ email: 'jane@acme.example', auth_time: expect.any(Number), acr: 'urn:dossier:acr:password' })
  const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)
  expect(userinfo).toMatchObject({ phone_number: '+41 44 000 00 00' })
  expect(userinfo).not.toHaveProperty('email')
  expect((await ask({ id_token: { sub: { value: idp.jane.id } } }, { prompt: 'none' })).tokens.claims()?.sub).toBe(idp.jane.id)
  const refusal = ask({ id_token: { sub: { value: 'somebody else' } } }, { prompt: 'none' })
  await expect(refusal).rejects.toMatchObject({ error: 'login_required' })
})

test('a claim that is asked for by anything but null or an object is refused with a reason', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  for (const request of ['a', '', 1, true, [], ['a']]) {
    for (const place of ['id_token', 'userinfo']) {
      const claims = JSON.stringify({ [place]: { sub: request } })
      const { callback } = await authorize(idp, configuration, { parameters: { claims } })
      expect(callback.searchParams.get('error'), claims).toBe('invalid_request')
      expect(callback.searchParams.get('error_description')).toBe(`claims: each claim of ${place} must be null or an object`)
    }
  }
})

test('a session is stepped up by a new sign-in when it does not reach what is asked for', async () => {
  let ahead = 0
  await using idp = await startIdp({ now: () => new Date(Date.now() + ahead) })
  const browser = idp.browser()
  const configuration = await relyingParty(idp, idp.web)
  const fresh = 'urn:dossier:acr:password:fresh'
  const ask = async (parameters: Record<string, string>) => {
    const { callback } = await authorize(idp, configuration, { browser, parameters })
    return callback.searchParams.get('error')
  }
  const { tokens } = await signIn(idp, { browser, parameters: { acr_values: fresh } })
  expect(tokens.claims()?.acr).toBe(fresh)
  expect(await ask({ acr_values: fresh, prompt: 'none' })).toBeNull()

  ahead = 301_000
  expect(await ask({ acr_values: 'urn:dossier:acr:password', prompt: 'none' })).toBeNull()
  expect(await ask({ acr_values: fresh, prompt: 'none' })).toBe('login_required')
  expect(await ask({ acr_values: 'urn:of:another:world', prompt: 'none' })).toBeNull()
  const page = await browser.open(
    client.buildAuthorizationUrl(configuration, {
      redirect_uri: idp.web.redirectUris[0] as string,
      scope: 'openid',
      acr_values: fresh,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }),
  )
  expect(page.text).toContain('id="login-submit"')
  const after = await browser.submit(page, '/login', { username: idp.jane.username, password })
  expect(after.url.searchParams.get('code')).not.toBeNull()
  expect(await ask({ acr_values: fresh, prompt: 'none' })).toBeNull()

  const impossible = { claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:of:another:world' } } }) }
  expect(await ask(impossible)).toBe('unmet_authentication_requirements')
})

const challenge = 'A'.repeat(43)

test('an API gets a token of its own, named by its address, which nobody else accepts', async () => {
  await using idp = await startIdp()
  const address = 'https://orders.acme.example/'
  const api = { ...idp.native, type: 'api', redirectUris: [], grantTypes: [], resourceIndicators: [address] } as const
  const application = await changed(idp, { accessTokenType: 'jwt', firstParty: false })
  await idp.domain.catalogue.commit({ putApplications: [api], events: [] })
  const configuration = await relyingParty(idp, application)
  const done = await authorize(idp, configuration, { application, scope: 'openid email', parameters: { resource: address } })
  const tokens = await client.authorizationCodeGrant(
    configuration,
    done.callback,
    { pkceCodeVerifier: done.codeVerifier, expectedNonce: done.nonce, expectedState: done.state },
    { resource: address },
  )
  expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: address, scope: 'email', sub: idp.jane.id })
  const bearer = { authorization: `Bearer ${tokens.access_token}` }
  expect((await fetch(idp.url('/oidc/v1/userinfo'), { headers: bearer })).status).toBe(403)
  expect((await fetch(idp.url('/auth/v1/users/me/metadata/_search'), { method: 'POST', headers: bearer })).status).toBe(401)
  expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({ active: true, aud: address })

  const unknown = await authorize(idp, configuration, { application, parameters: { resource: 'https://nobody.example/' } })
  expect(unknown.callback.searchParams.get('error')).toBe('invalid_target')
  expect(unknown.callback.searchParams.get('error_description')).toContain('https://nobody.example/')
})

test('applications of different sectors know a user by different subjects, each by always the same', async () => {
  await using idp = await startIdp()
  const pairwise = (redirectUri: string) =>
    changed(idp, {
      subjectType: 'pairwise',
      redirectUris: [redirectUri],
      grantTypes: ['authorizationCode', 'refreshToken'],
      accessTokenType: 'jwt',
    })
  const subjectAt = async (application: Application) => {
    const { tokens, configuration } = await signIn(idp, { application, scope: 'openid email offline_access' })
    const sub = tokens.claims()?.sub as string
    expect(await client.fetchUserInfo(configuration, tokens.access_token, sub)).toMatchObject({ sub, email: 'jane@acme.example' })
    expect(decodeJwt(tokens.access_token).sub).toBe(sub)
    expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({ active: true, sub })
    expect((await client.refreshTokenGrant(configuration, tokens.refresh_token as string)).claims()?.sub).toBe(sub)
    return sub
  }
  const one = await subjectAt(await pairwise('https://one.example/callback'))
  const two = await subjectAt(await pairwise('https://two.example/callback'))
  expect(one).not.toBe(idp.jane.id)
  expect(two).not.toBe(one)
  expect(await subjectAt(await pairwise('https://one.example/callback'))).toBe(one)
})

test('ID tokens and userinfo come signed and encrypted for the key of the application', async () => {
  await using idp = await startIdp()
  const { privateKey, jwks } = await keysFor('RSA-OAEP-256', 'enc')
  const application = await changed(idp, {
    jwks,
    idTokenEncryptedResponseAlg: 'RSA-OAEP-256',
    idTokenEncryptedResponseEnc: 'A256GCM',
    userinfoSignedResponseAlg: 'ES256',
    userinfoEncryptedResponseAlg: 'RSA-OAEP-256',
    userinfoEncryptedResponseEnc: 'A128GCM',
    introspectionSignedResponseAlg: 'ES256',
  })
  const configuration = await relyingParty(idp, application)
  client.enableDecryptingResponses(configuration, ['A256GCM', 'A128GCM'], { key: privateKey, kid: 'RSA-OAEP-256 key' })
  const done = await authorize(idp, configuration, { application, scope: 'openid email' })
  const tokens = await exchange(configuration, done)
  expect(tokens.id_token?.split('.')).toHaveLength(5)
  expect(tokens.claims()?.sub).toBe(idp.jane.id)

  const reply = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${tokens.access_token}` } })
  expect(reply.headers.get('content-type')).toMatch(/^application\/jwt/)
  const { plaintext } = await compactDecrypt(await reply.text(), privateKey)
  const keys = createRemoteJWKSet(idp.url('/oauth/v2/keys'))
  const { payload } = await jwtVerify(plaintext, keys, { issuer: idp.issuer, audience: application.clientId })
  expect(payload).toMatchObject({ sub: idp.jane.id, email: 'jane@acme.example' })

  const introspection = await fetch(idp.url('/oauth/v2/introspect'), {
    method: 'POST',
    headers: {
      accept: 'application/token-introspection+jwt',
      authorization: `Basic ${Buffer.from(`${application.clientId}:${idp.secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ token: tokens.access_token }),
  })
  expect(introspection.headers.get('content-type')).toMatch(/^application\/token-introspection\+jwt/)
  const answer = await jwtVerify(await introspection.text(), keys, {
    issuer: idp.issuer,
    audience: application.clientId,
    typ: 'token-introspection+jwt',
  })
  expect(answer.payload.token_introspection).toMatchObject({ active: true, sub: idp.jane.id })
})
