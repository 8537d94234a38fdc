/** How applications prove who they are, and how tokens are bound to whoever asked for them. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { asHeader, machineCertificate, otherCertificate } from '../../support/certificates.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, metadataScope, signIn, zitadelAudience } from '../../support/relyingParty.ts'

async function changed(idp: Idp, changes: Partial<Application>): Promise<Application> {
  const application = { ...idp.web, ...changes }
  await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
  return application
}

const discovered = (idp: Idp, application: Application, authentication: client.ClientAuth) =>
  client.discovery(new URL(idp.issuer), application.clientId, {}, authentication, { execute: [client.allowInsecureRequests] })

const json = { 'content-type': 'application/json' }

const post = (idp: Idp, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(idp.url(path), { method: 'POST', headers, body: new URLSearchParams(fields) })

test('a secret proves itself by a signature; the store keeps it sealed', async () => {
  await using idp = await startIdp()
  const secret = 'a secret of more than 32 characters for a MAC'
  const source = `projects: [{ name: ${idp.project.name}, id: ${idp.project.id}, applications: [{ name: machine, clientId: machine, type: api,
    authMethod: clientSecretJwt, grantTypes: [clientCredentials], clientSecret: ${secret} }] }]`
  const { readConfigurationFile } = await import('#src/domain/provisioning/file.ts')
  const read = () => readConfigurationFile(source, 'machine.yaml', { environment: () => undefined, file: () => undefined })
  await idp.domain.provisioning.apply(read(), { kind: 'system' })
  const view = await idp.domain.catalogue.find('machine')
  expect(JSON.stringify(view)).not.toContain(secret)
  const [change] = (await idp.domain.provisioning.apply(read(), { kind: 'system' })).filter(({ name }) => name === 'machine')
  expect(change).toMatchObject({ change: 'none' })

  const application = view?.application as Application
  const right = await discovered(idp, application, client.ClientSecretJwt(secret))
  expect((await client.clientCredentialsGrant(right)).access_token).toEqual(expect.any(String))
  const wrong = await discovered(idp, application, client.ClientSecretJwt(`${secret}.`))
  await expect(client.clientCredentialsGrant(wrong)).rejects.toMatchObject({ error: 'invalid_client' })
  const refused = await post(idp, '/oauth/v2/token', { grant_type: 'client_credentials', client_id: 'machine', client_secret: secret })
  expect(refused.status).toBe(401)
})

test('a private key proves its application wherever applications prove themselves', async () => {
  await using idp = await startIdp()
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256', use: 'sig' }] }
  const application = await changed(idp, { authMethod: 'privateKeyJwt', clientSecretHash: undefined, jwks })
  const configuration = await discovered(idp, application, client.PrivateKeyJwt({ key: privateKey, kid: '1' }))
  const done = await authorize(idp, configuration, { application, scope: 'openid offline_access' })
  const tokens = await client.authorizationCodeGrant(configuration, done.callback, {
    pkceCodeVerifier: done.codeVerifier,
    expectedNonce: done.nonce,
    expectedState: done.state,
  })
  const again = await client.refreshTokenGrant(configuration, tokens.refresh_token as string)
  expect(await client.tokenIntrospection(configuration, again.access_token)).toMatchObject({ active: true })
  await client.tokenRevocation(configuration, again.access_token)
  expect(await client.tokenIntrospection(configuration, again.access_token)).toEqual({ active: false })
  const stranger = await generateKeyPair('ES256')
  const foreign = await discovered(idp, application, client.PrivateKeyJwt({ key: stranger.privateKey, kid: '1' }))
  await expect(client.clientCredentialsGrant(foreign)).rejects.toMatchObject({ error: 'invalid_client' })
})

test('a DPoP-bound token is accepted everywhere with the proof of its holder, and nowhere without', async () => {
  await using idp = await startIdp()
  const application = await changed(idp, { dpopBoundAccessTokens: true })
  const configuration = await discovered(idp, application, client.ClientSecretBasic(idp.secret))
  const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'))
  const done = await authorize(idp, configuration, { application, scope: `openid offline_access ${metadataScope} ${zitadelAudience}` })
  const checks = { pkceCodeVerifier: done.codeVerifier, expectedNonce: done.nonce, expectedState: done.state }
  const {
    access_token: token,
    refresh_token,
    token_type,
  } = await client.authorizationCodeGrant(configuration, done.callback, checks, {}, { DPoP })
  expect(token_type).toBe('dpop')
  expect(await client.fetchUserInfo(configuration, token, idp.jane.id, { DPoP })).toMatchObject({
    [metadataScope]: { ContractNumber: 'MTIzNA' },
  })
  expect(await client.tokenIntrospection(configuration, token)).toMatchObject({
    active: true,
    token_type: 'DPoP',
    cnf: { jkt: expect.any(String) },
  })
  expect((await client.refreshTokenGrant(configuration, refresh_token as string, {}, { DPoP })).token_type).toBe('dpop')

  const search = idp.url('/auth/v1/users/me/metadata/_search')
  const found = await client.fetchProtectedResource(
    configuration,
    token,
    search,
    'POST',
    '{}',
    new Headers({ 'content-type': 'application/json' }),
    {
      DPoP,
    },
  )
  expect(await found.json()).toMatchObject({ result: [{ key: 'ContractNumber' }] })

  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const proof = async (claims: Record<string, unknown>) =>
    new SignJWT({ htm: 'POST', htu: search.href, jti: crypto.randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
      .setIssuedAt()
      .sign(privateKey)
  const ask = async (headers: Record<string, string>) =>
    (await fetch(search, { method: 'POST', headers: { ...json, ...headers }, body: '{}' })).status
  expect(await ask({ authorization: `Bearer ${token}` })).toBe(401)
  expect(await ask({ authorization: `DPoP ${token}` })).toBe(401)
  expect(await ask({ authorization: `DPoP ${token}`, dpop: await proof({}) })).toBe(401)
  expect(await ask({ authorization: `DPoP ${token}`, dpop: 'nonsense' })).toBe(401)
  const userinfo = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${token}` } })
  expect(userinfo.status).toBe(401)
})

describe('a proof at our own API', () => {
  test.each<[string, { claims?: Record<string, unknown>; twice?: boolean; status: number }]>([
    ['that is right is accepted', { status: 200 }],
    ['that was used before is not', { twice: true, status: 401 }],
    ['for another method is not', { claims: { htm: 'GET' }, status: 401 }],
    ['for another address is not', { claims: { htu: 'http://localhost/auth/v1/users/me/metadata/_search' }, status: 401 }],
    ['for another token is not', { claims: { ath: 'x' }, status: 401 }],
    ['that is old is not', { claims: { iat: Math.floor(Date.now() / 1000) - 90 }, status: 401 }],
    ['without an id is not', { claims: { jti: undefined }, status: 401 }],
  ])('%s', async (_, { claims = {}, twice = false, status }) => {
    await using idp = await startIdp()
    const application = await changed(idp, { dpopBoundAccessTokens: true })
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const signed = async (payload: Record<string, unknown>) =>
      new SignJWT({ jti: crypto.randomUUID(), iat: Math.floor(Date.now() / 1000), ...payload })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
        .sign(privateKey)
    const configuration = await discovered(idp, application, client.ClientSecretBasic(idp.secret))
    const done = await authorize(idp, configuration, { application, scope: `openid ${zitadelAudience}` })
    const tokenUrl = idp.url('/oauth/v2/token').href
    const reply = await fetch(tokenUrl, {
      method: 'POST',
      headers: {
        dpop: await signed({ htm: 'POST', htu: tokenUrl }),
        authorization: `Basic ${Buffer.from(`${application.clientId}:${idp.secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: done.callback.searchParams.get('code') as string,
        redirect_uri: application.redirectUris[0] as string,
        code_verifier: done.codeVerifier,
      }),
    })
    const { access_token: token } = (await reply.json()) as { access_token: string }
    const search = idp.url('/auth/v1/users/me/metadata/_search').href
    const ath = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url')
    const dpop = await signed({ htm: 'POST', htu: search, ath, ...claims })
    const ask = async () =>
      (await fetch(search, { method: 'POST', headers: { ...json, authorization: `DPoP ${token}`, dpop }, body: '{}' })).status
    if (twice) expect(await ask()).toBe(200)
    expect(await ask()).toBe(status)
  })
})

describe('client certificates, told by a proxy', () => {
  const verified = { ...asHeader(machineCertificate), 'x-ssl-client-verify': 'SUCCESS' }
  const jwk = { ...machineCertificate.publicKey.export({ format: 'jwk' }), x5c: [machineCertificate.raw.toString('base64')], use: 'sig' }
  const behindProxy = { environment: { DOSSIER_TRUST_PROXY: '1' } }
  const ask = (idp: Idp, headers: Record<string, string>) =>
    post(idp, '/oauth/v2/token', { grant_type: 'client_credentials', client_id: idp.web.clientId }, headers)

  test.each<[string, Partial<Application>]>([
    ['its subject', { tlsClientAuthSubjectDn: 'CN=machine.acme.example, O=Acme\\, Inc., C=CH' }],
    ['a DNS name', { tlsClientAuthSanDns: 'machine.acme.example' }],
    ['a URI', { tlsClientAuthSanUri: 'urn:acme:machine' }],
    ['an address', { tlsClientAuthSanIp: '192.0.2.7' }],
    ['an e-mail address', { tlsClientAuthSanEmail: 'machine@acme.example' }],
  ])('name an application by %s, if the proxy has verified them', async (_, names) => {
    await using idp = await startIdp(behindProxy)
    await changed(idp, { authMethod: 'tlsClientAuth', clientSecretHash: undefined, ...names })
    expect((await ask(idp, verified)).status).toBe(200)
    const structured = { 'client-cert': `:${machineCertificate.raw.toString('base64')}:`, 'x-ssl-client-verify': 'SUCCESS' }
    expect((await ask(idp, structured)).status).toBe(200)
    for (const headers of [
      {},
      asHeader(machineCertificate),
      { ...verified, 'x-ssl-client-verify': 'FAILED:self signed certificate' },
      { ...asHeader(otherCertificate), 'x-ssl-client-verify': 'SUCCESS' },
    ]) {
      expect((await ask(idp, headers)).status).toBe(401)
    }
    const unreadable = await ask(idp, { 'x-ssl-client-cert': 'nonsense', 'x-ssl-client-verify': 'SUCCESS' })
    expect(unreadable.status).toBe(400)
  })

  test('that signed themselves name an application by its registered key, and bind its tokens', async () => {
    await using idp = await startIdp(behindProxy)
    const changes = { authMethod: 'selfSignedTlsClientAuth', jwks: { keys: [jwk] }, tlsClientCertificateBoundAccessTokens: true } as const
    const application = await changed(idp, { ...changes, clientSecretHash: undefined })
    expect((await ask(idp, asHeader(otherCertificate))).status).toBe(401)
    const reply = await ask(idp, asHeader(machineCertificate))
    expect(reply.status).toBe(200)

    const configuration = await discovered(idp, application, client.TlsClientAuth())
    const withCertificate: client.CustomFetch = (url, options) =>
      fetch(url, { ...options, headers: { ...options.headers, ...asHeader(machineCertificate) } } as RequestInit)
    configuration[client.customFetch] = withCertificate
    const done = await authorize(idp, configuration, { application, scope: `openid ${zitadelAudience}` })
    const tokens = await client.authorizationCodeGrant(configuration, done.callback, {
      pkceCodeVerifier: done.codeVerifier,
      expectedNonce: done.nonce,
      expectedState: done.state,
    })
    for (const [path, method] of [
      ['/oidc/v1/userinfo', 'GET'],
      ['/auth/v1/users/me/metadata/_search', 'POST'],
    ] as const) {
      const bearer = { ...json, authorization: `Bearer ${tokens.access_token}` }
      const body = method === 'POST' ? '{}' : undefined
      const call = async (headers: Record<string, string>) =>
        (await fetch(idp.url(path), { method, headers: { ...bearer, ...headers }, body })).status
      expect(await call(asHeader(machineCertificate)), path).toBe(200)
      expect(await call(asHeader(otherCertificate)), path).toBe(401)
      expect(await call({}), path).toBe(401)
    }
    expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({
      active: true,
      cnf: { 'x5t#S256': expect.any(String) },
    })
  })

  test('are believed nowhere without a trusted proxy', async () => {
    await using idp = await startIdp()
    await changed(idp, { authMethod: 'tlsClientAuth', clientSecretHash: undefined, tlsClientAuthSanDns: 'machine.acme.example' })
    const reply = await ask(idp, verified)
    expect(reply.status).toBeGreaterThanOrEqual(400)
    expect(reply.status).toBeLessThan(500)
    const document = (await (await fetch(idp.url('/.well-known/openid-configuration'))).json()) as Record<string, string[]>
    expect(document.token_endpoint_auth_methods_supported).not.toContain('tls_client_auth')
  })
})

test('a token without a binding is not taken for one by the scheme DPoP', async () => {
  await using idp = await startIdp()
  const { tokens } = await signIn(idp, { scope: `openid ${zitadelAudience}` })
  const headers = { ...json, authorization: `DPoP ${tokens.access_token}` }
  expect((await fetch(idp.url('/auth/v1/users/me/metadata/_search'), { method: 'POST', headers, body: '{}' })).status).toBe(401)
})
