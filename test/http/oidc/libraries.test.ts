/** What relying-party libraries demand (contracts/relying-parties.md), where no other test shows it already. */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, signIn } from '../../support/relyingParty.ts'

test('a code survives a client authentication that is refused (x/oauth2 tries Basic, then the body)', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const { callback, codeVerifier } = await authorize(idp, configuration, {})
  const body = { ...codeGrant(idp, callback, codeVerifier), client_id: idp.web.clientId }
  expect((await token(idp, { ...body, client_secret: 'wrong' })).status).toBe(401)
  expect((await token(idp, body)).status).toBe(401)
  expect((await token(idp, { ...body, client_secret: idp.secret })).status).toBe(200)
})

test('a Basic header with an empty password counts as none for a public client (oidc-agent), and as wrong for a confidential one', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.spa)
  const { callback, codeVerifier } = await authorize(idp, configuration, { application: idp.spa })
  const body = { ...codeGrant(idp, callback, codeVerifier), redirect_uri: idp.spa.redirectUris[0] as string }
  expect((await token(idp, body, `${idp.web.clientId}:`)).status).toBe(401)
  expect((await token(idp, body, `${idp.spa.clientId}:`)).status).toBe(200)
})

test('a secret with special characters is understood form-encoded and as it stands (Authlib, requests-oauthlib)', async () => {
  await using idp = await startIdp()
  for (const secret of ['100% sure+more', 'a+b', '%2B', 'p%C3%A4ss', 'tricky&=%zz']) {
    await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, clientSecretHash: hashSecret(secret) }], events: [] })
    const encoded = new URLSearchParams({ v: secret }).toString().slice(2)
    for (const written of [secret, encoded]) {
      expect(
        (await token(idp, { grant_type: 'client_credentials' }, `${idp.web.clientId}:${written}`)).status,
        `${secret} as ${written}`,
      ).toBe(200)
    }
    expect((await token(idp, { grant_type: 'client_credentials' }, `${idp.web.clientId}:${secret}x`)).status).toBe(401)
  }
})

test('the stored hash of a secret is not the secret', async () => {
  await using idp = await startIdp()
  expect((await token(idp, { grant_type: 'client_credentials' }, `${idp.web.clientId}:${hashSecret(idp.secret)}`)).status).toBe(401)
})

test('an ID token says when it was made, never in the future, by which key, for whom, and the nonce comes back', async () => {
  await using idp = await startIdp()
  const { tokens } = await signIn(idp, { scope: 'openid' })
  const claims = decodeJwt(tokens.id_token as string)
  expect(claims.iat).toBeLessThanOrEqual(Math.floor(Date.now() / 1000))
  expect(claims.nbf ?? 0).toBeLessThanOrEqual(Math.floor(Date.now() / 1000))
  expect(claims).toMatchObject({ iss: idp.issuer, azp: idp.web.clientId, nonce: expect.any(String), sid: expect.any(String) })
  expect(decodeProtectedHeader(tokens.id_token as string)).toMatchObject({ alg: 'RS256', kid: expect.any(String) })
})

test('`iss` is in every answer to the application, errors too', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const good = await authorize(idp, configuration, {})
  expect(good.callback.searchParams.get('iss')).toBe(idp.issuer)
  const bad = await authorize(idp, configuration, { parameters: { prompt: 'none' } })
  expect(bad.callback.searchParams.get('iss')).toBe(idp.issuer)
  expect(bad.callback.searchParams.get('error')).toBe('login_required')
})

test('the token response is JSON that nobody keeps, with a numeric lifetime', async () => {
  await using idp = await startIdp()
  const response = await token(idp, { grant_type: 'client_credentials' }, `${idp.web.clientId}:${idp.secret}`)
  expect(response.headers.get('content-type')).toContain('application/json')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(((await response.json()) as { expires_in: unknown }).expires_in).toBe(43_200)
})

test('a public client must use PKCE, a confidential one as it says, and `plain` is never taken', async () => {
  await using idp = await startIdp()
  const spa = { response_type: 'code', client_id: idp.spa.clientId, redirect_uri: idp.spa.redirectUris[0] as string, scope: 'openid' }
  const web = { ...spa, client_id: idp.web.clientId, redirect_uri: idp.web.redirectUris[0] as string }
  const errorOf = async (parameters: Record<string, string>) => {
    const page = await idp.browser().open(`/oauth/v2/authorize?${new URLSearchParams(parameters)}`)
    return page.url.searchParams.get('error')
  }
  expect(await errorOf(spa)).toBe('invalid_request')
  expect(await errorOf(web)).toBe('invalid_request')
  expect(await errorOf({ ...web, code_challenge: 'A'.repeat(43), code_challenge_method: 'plain' })).toBe('invalid_request')
  expect(await errorOf({ ...web, code_challenge: 'A'.repeat(43) })).toBe('invalid_request')
  await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, requirePkce: false }], events: [] })
  expect(await errorOf(web)).toBeNull()
})

test('a redirect URI is compared exactly, and an unknown one is never redirected to', async () => {
  await using idp = await startIdp()
  const registered = idp.web.redirectUris[0] as string
  for (const uri of [
    `${registered}/`,
    `${registered}?x=1`,
    registered.replace('localhost', '127.0.0.1'),
    'https://evil.example/',
    `${registered}#f`,
    '//evil.example',
  ]) {
    const parameters = new URLSearchParams({ response_type: 'code', client_id: idp.web.clientId, redirect_uri: uri, scope: 'openid' })
    const page = await idp.browser().open(`/oauth/v2/authorize?${parameters}`)
    expect(page.url.origin, uri).toBe(idp.issuer)
    expect(page.status).toBe(400)
    expect(page.text).toContain('id="error-code"')
  }
})

const codeGrant = (idp: Idp, callback: URL, codeVerifier: string) => ({
  grant_type: 'authorization_code',
  code: callback.searchParams.get('code') as string,
  redirect_uri: idp.web.redirectUris[0] as string,
  code_verifier: codeVerifier,
})

/** A token request, with `basic` as it stands between the quotes of the header. */
function token(idp: Idp, body: Record<string, string>, basic?: string) {
  const headers: Record<string, string> = basic === undefined ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }
  return fetch(idp.url('/oauth/v2/token'), { method: 'POST', headers, body: new URLSearchParams(body) })
}

test('a discovered client needs nothing but the issuer', async () => {
  await using idp = await startIdp()
  const configuration = await client.discovery(new URL(idp.issuer), idp.spa.clientId, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  })
  expect(configuration.serverMetadata().issuer).toBe(idp.issuer)
})
