/**
 * How a client uses Dossier with `oauth4webapi`, the low-level library: one call to send each request, one to check each answer.
 *
 * Here with everything that makes a sign-in hard to steal: a pushed request (PAR), PKCE, `iss` in the answer, and tokens that are bound to a key (DPoP).
 */
import * as oauth from 'oauth4webapi'
import { expect, test } from 'vitest'
import { password, startIdp } from '../support/idp.ts'
import { metadataScope } from '../support/relyingParty.ts'

/** Only for an issuer on http, as in a test. */
const insecure = { [oauth.allowInsecureRequests]: true }

test('a pushed, bound sign-in gives tokens that are renewed, introspected, and worthless once revoked', async () => {
  await using idp = await startIdp()
  const issuer = new URL(idp.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const client: oauth.Client = { client_id: idp.web.clientId }
  const authentication = oauth.ClientSecretBasic(idp.secret)
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256', { extractable: true }))
  const bound = { ...insecure, DPoP }

  const redirectUri = idp.web.redirectUris[0] as string
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const parameters = {
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: `openid profile offline_access ${metadataScope}`,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  const pushedReply = await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, bound)
  const pushed = await oauth.processPushedAuthorizationResponse(as, client, pushedReply)

  // What the application sends the person to, and where the person comes back.
  const address = new URL(as.authorization_endpoint as string)
  address.search = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri }).toString()
  const browser = idp.browser()
  const back = await browser.submit(await browser.open(address), '/login', { username: idp.jane.username, password })

  expect(as.authorization_response_iss_parameter_supported).toBe(true)
  const answer = oauth.validateAuthResponse(as, client, back.url, state)
  const codeReply = await oauth.authorizationCodeGrantRequest(as, client, authentication, answer, redirectUri, verifier, bound)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, codeReply, { expectedNonce: nonce, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(as, codeReply, insecure)
  const { sub } = oauth.getValidatedIdTokenClaims(tokens) as oauth.IDToken
  expect(sub).toBe(idp.jane.id)
  expect(tokens.token_type).toBe('dpop')

  const refreshReply = await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token as string, bound)
  const renewed = await oauth.processRefreshTokenResponse(as, client, refreshReply)
  expect(renewed.access_token).not.toBe(tokens.access_token)

  const userinfoReply = await oauth.userInfoRequest(as, client, renewed.access_token, bound)
  const userinfo = await oauth.processUserInfoResponse(as, client, sub, userinfoReply)
  expect(userinfo).toMatchObject({ given_name: 'Jane', [metadataScope]: { ContractNumber: 'MTIzNA' } })
  // Another key proves nothing.
  const strange = { ...insecure, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }
  const stolen = await oauth.userInfoRequest(as, client, renewed.access_token, strange)
  await expect(oauth.processUserInfoResponse(as, client, sub, stolen)).rejects.toThrow(oauth.WWWAuthenticateChallengeError)

  const introspect = async () => {
    const reply = await oauth.introspectionRequest(as, client, authentication, renewed.access_token, insecure)
    return oauth.processIntrospectionResponse(as, client, reply)
  }
  const jkt = await DPoP.calculateThumbprint()
  expect(await introspect()).toMatchObject({ active: true, sub, cnf: { jkt } })
  const revoked = await oauth.revocationRequest(as, client, authentication, renewed.access_token, insecure)
  expect(await oauth.processRevocationResponse(revoked)).toBeUndefined()
  expect(await introspect()).toEqual({ active: false })
})

test('an answer that another issuer could have sent, or that belongs to another request, is told apart by its `iss` and `state`', async () => {
  await using idp = await startIdp()
  const issuer = new URL(idp.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const client: oauth.Client = { client_id: idp.web.clientId }
  const state = oauth.generateRandomState()
  const parameters = {
    client_id: client.client_id,
    redirect_uri: idp.web.redirectUris[0] as string,
    response_type: 'code',
    scope: 'openid',
    prompt: 'none',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
    code_challenge_method: 'S256',
  }
  const { url } = await idp.browser().open(`${as.authorization_endpoint}?${new URLSearchParams(parameters)}`)
  expect(() => oauth.validateAuthResponse(as, client, url, state)).toThrow(
    expect.objectContaining({ name: 'AuthorizationResponseError', error: 'login_required' }),
  )
  expect(() => oauth.validateAuthResponse(as, client, url, oauth.generateRandomState())).toThrow(/state/)
  const unsigned = new URL(url)
  unsigned.searchParams.delete('iss')
  expect(() => oauth.validateAuthResponse(as, client, unsigned, state)).toThrow(/iss/)
})
