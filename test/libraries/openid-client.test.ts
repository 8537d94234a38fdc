/** How an application uses Dossier with `openid-client`: every grant that it can ask for, and what each gives. */
import { createPrivateKey } from 'node:crypto'
import { decodeJwt, SignJWT } from 'jose'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { type Idp, password, startIdp } from '../support/idp.ts'
import { authorize, metadataScope, relyingParty, signIn } from '../support/relyingParty.ts'

const grants = 'urn:ietf:params:oauth:grant-type'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'

test('authorization code, with PKCE, state and nonce', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const { callback, codeVerifier, nonce, state } = await authorize(idp, configuration, { scope: `openid profile ${metadataScope}` })
  const tokens = await client.authorizationCodeGrant(configuration, callback, {
    pkceCodeVerifier: codeVerifier,
    expectedNonce: nonce,
    expectedState: state,
  })
  const sub = tokens.claims()?.sub as string
  expect(sub).toBe(idp.jane.id)
  expect(await client.fetchUserInfo(configuration, tokens.access_token, sub)).toMatchObject({
    given_name: 'Jane',
    [metadataScope]: { ContractNumber: 'MTIzNA' },
  })
})

test('refresh token: a new one with every use', async () => {
  await using idp = await startIdp()
  const { configuration, tokens } = await signIn(idp, { scope: 'openid offline_access' })
  const renewed = await client.refreshTokenGrant(configuration, tokens.refresh_token as string)
  expect(renewed.refresh_token).not.toBe(tokens.refresh_token)
  expect(await client.fetchUserInfo(configuration, renewed.access_token, idp.jane.id)).toMatchObject({ sub: idp.jane.id })
})

test('client credentials: a token for the application itself', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const { access_token } = await client.clientCredentialsGrant(configuration)
  expect(await client.tokenIntrospection(configuration, access_token)).toMatchObject({ active: true, client_id: idp.web.clientId })
})

test('device code: a person allows in a browser what a device without one waits for', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const device = await client.initiateDeviceAuthorization(configuration, { scope: `openid email ${metadataScope}` })
  const waiting = client.pollDeviceAuthorizationGrant(configuration, { ...device, interval: 1 })
  const done = await allow(idp, device.verification_uri_complete as string, device.user_code)
  expect(done).toContain('Device connected')
  const tokens = await waiting
  expect(tokens.claims()?.sub).toBe(idp.jane.id)
  expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).toMatchObject({
    email: 'jane@acme.example',
    [metadataScope]: { ContractNumber: 'MTIzNA' },
  })
})

test('device code: a person who refuses is told to the device', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const device = await client.initiateDeviceAuthorization(configuration, { scope: 'openid' })
  const waiting = expect(client.pollDeviceAuthorizationGrant(configuration, { ...device, interval: 1 })).rejects.toMatchObject({
    error: 'access_denied',
  })
  const browser = idp.browser()
  const asked = await browser.submit(await browser.open(device.verification_uri), '/device', { user_code: device.user_code })
  await browser.submit(asked, '/device', { abort: 'yes' })
  await waiting
})

test('JWT bearer: a machine user comes with an assertion that its key file signed', async () => {
  await using idp = await startIdp()
  const machine = await idp.domain.users.create({ kind: 'machine', username: 'inventory-sync', profile: {} }, { kind: 'system' })
  const { userId, keyId, key } = await idp.domain.users.createKey(machine.id, {}, { kind: 'system' })
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: 'RS256', kid: keyId })
    .setIssuer(userId)
    .setSubject(userId)
    .setAudience(idp.issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(createPrivateKey(key))
  // The user is its own client: there is nothing to register.
  const options = { execute: [client.allowInsecureRequests] }
  const configuration = await client.discovery(new URL(idp.issuer), machine.username, undefined, client.None(), options)
  const { access_token } = await client.genericGrantRequest(configuration, `${grants}:jwt-bearer`, { assertion, scope: 'openid profile' })
  expect(await client.fetchUserInfo(configuration, access_token, machine.id)).toMatchObject({ preferred_username: 'inventory-sync' })
})

test('token exchange: an application behind the first one gets a token of its own for the same person', async () => {
  await using idp = await startIdp()
  const gateway: Application = { ...idp.web, id: 'gateway', clientId: 'gateway', grantTypes: ['tokenExchange'], redirectUris: [] }
  await idp.domain.catalogue.commit({ putApplications: [gateway], events: [] })
  const { tokens } = await signIn(idp, { scope: `openid ${metadataScope}` })
  const exchanged = await client.genericGrantRequest(await relyingParty(idp, gateway), `${grants}:token-exchange`, {
    subject_token: tokens.access_token,
    subject_token_type: accessToken,
    requested_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  })
  expect(decodeJwt(exchanged.access_token)).toMatchObject({ sub: idp.jane.id, client_id: 'gateway' })
})

/** What the person does: opens the address that the device shows, sends the code that is filled in there, compares it, signs in. */
async function allow(idp: Idp, address: string, user_code: string): Promise<string> {
  const browser = idp.browser()
  const shown = await browser.submit(await browser.open(address), '/device', { user_code })
  const login = await browser.submit(shown, '/device', { user_code, confirm: 'yes' })
  return (await browser.submit(login, '/login', { username: idp.jane.username, password })).text
}
