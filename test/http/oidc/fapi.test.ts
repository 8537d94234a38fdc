/** The FAPI 2.0 security profile and message signing, as a bank's client would do it: with `openid-client`. */
import { exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { type Idp, password, startIdp } from '../../support/idp.ts'

async function start(changes: Partial<Application> = {}) {
  const idp = await startIdp()
  const { publicKey, privateKey } = await generateKeyPair('PS256', { extractable: true })
  await idp.domain.keys.ensure(['PS256'], { kind: 'system' })
  const application: Application = {
    ...idp.web,
    profile: 'fapi2',
    authMethod: 'privateKeyJwt',
    clientSecretHash: undefined,
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'bank', alg: 'PS256', use: 'sig' }] },
    dpopBoundAccessTokens: true,
    idTokenSignedResponseAlg: 'PS256',
    authorizationSignedResponseAlg: 'PS256',
    requirePkce: false,
    firstParty: false,
    ...changes,
  }
  await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
  const key = { key: privateKey, kid: 'bank' }
  const configuration = await client.discovery(new URL(idp.issuer), application.clientId, {}, client.PrivateKeyJwt(key), {
    execute: [client.allowInsecureRequests],
  })
  return { idp, application, configuration, key }
}

const requestOf = async ({ redirectUris }: Application, verifier: string) => ({
  redirect_uri: redirectUris[0] as string,
  scope: 'openid email',
  state: 'state of the client',
  nonce: 'nonce of the client',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})

async function walk(idp: Idp, address: URL) {
  const browser = idp.browser()
  let page = await browser.submit(await browser.open(address), '/login', { username: idp.jane.username, password })
  expect(page.text).toContain('id="consent-allow"')
  expect(page.text).toContain('id="consent-deny"')
  page = await browser.submit(page, '/consent')
  return page.url
}

const checksOf = (verifier: string) => ({
  pkceCodeVerifier: verifier,
  expectedState: 'state of the client',
  expectedNonce: 'nonce of the client',
})

test('a client of the security profile pushes its request, proves its key, and gets tokens that are bound to another', async () => {
  const { idp, application, configuration } = await start()
  await using _ = idp
  const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'))
  const verifier = client.randomPKCECodeVerifier()
  const address = await client.buildAuthorizationUrlWithPAR(configuration, await requestOf(application, verifier), { DPoP })
  expect([...address.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
  const callback = await walk(idp, address)
  expect(callback.searchParams.get('iss')).toBe(idp.issuer)
  const tokens = await client.authorizationCodeGrant(configuration, callback, checksOf(verifier), {}, { DPoP })
  expect(tokens.token_type).toBe('dpop')
  expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id, { DPoP })).toMatchObject({
    email: 'jane@acme.example',
  })
})

test('with message signing the request and the answer are signed too', async () => {
  const { idp, application, configuration, key } = await start({ requireSignedRequestObject: true, responseModes: ['jwt', 'query.jwt'] })
  await using _ = idp
  client.useJwtResponseMode(configuration)
  const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('PS256'))
  const verifier = client.randomPKCECodeVerifier()
  const signed = await client.buildAuthorizationUrlWithJAR(configuration, await requestOf(application, verifier), key)
  const address = await client.buildAuthorizationUrlWithPAR(configuration, signed.searchParams, { DPoP })
  const callback = await walk(idp, address)
  expect([...callback.searchParams.keys()]).toEqual(['response'])
  const tokens = await client.authorizationCodeGrant(configuration, callback, checksOf(verifier), {}, { DPoP })
  expect(tokens.claims()).toMatchObject({ sub: idp.jane.id })
})

test('what the profile forbids is refused', async () => {
  const { idp, application, configuration } = await start()
  await using _ = idp
  const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256'))
  const verifier = client.randomPKCECodeVerifier()
  const request = await requestOf(application, verifier)
  const direct = await idp.browser().open(client.buildAuthorizationUrl(configuration, request))
  expect(direct.url.searchParams.get('error')).toBe('invalid_request')
  const { code_challenge: _challenge, code_challenge_method: _method, ...withoutPkce } = request
  await expect(client.buildAuthorizationUrlWithPAR(configuration, withoutPkce)).rejects.toMatchObject({ error: 'invalid_request' })
  const { redirect_uri: _uri, ...withoutRedirect } = request
  await expect(client.buildAuthorizationUrlWithPAR(configuration, withoutRedirect)).rejects.toMatchObject({ error: 'invalid_request' })
  const callback = await walk(idp, await client.buildAuthorizationUrlWithPAR(configuration, request, { DPoP }))
  const unbound = client.authorizationCodeGrant(configuration, callback, checksOf(verifier))
  await expect(unbound).rejects.toMatchObject({ error: 'invalid_grant' })
})
