import { hash, randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, signIn, zitadelAudience } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

describe.each(testStores)('on $name', ({ make }) => {
  test('a code that is presented 50 times at once is exchanged once', async () => {
    await using idp = await startIdp({ store: make() })
    const configuration = await relyingParty(idp, idp.web)
    const { callback, codeVerifier } = await authorize(idp, configuration, {})
    const statuses = await atOnce(idp, {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') as string,
      redirect_uri: idp.web.redirectUris[0] as string,
      code_verifier: codeVerifier,
    })
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(new Set(statuses)).toEqual(new Set([200, 400]))
  })

  test('a refresh token that is presented 50 times at once is exchanged once', async () => {
    await using idp = await startIdp({ store: make() })
    const { tokens } = await signIn(idp, { scope: 'openid offline_access' })
    const statuses = await atOnce(idp, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token as string })
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(new Set(statuses)).toEqual(new Set([200, 400]))
  })

  test('a device code that is presented 50 times at once is exchanged once', async () => {
    await using idp = await startIdp({ store: make() })
    const configuration = await relyingParty(idp, idp.web)
    const device = await client.initiateDeviceAuthorization(configuration, { scope: 'openid' })
    const browser = idp.browser()
    const ask = await browser.open(device.verification_uri)
    const confirm = await browser.submit(ask, '/device', { user_code: device.user_code })
    expect(confirm.text).toContain(device.user_code)
    const login = await browser.submit(confirm, '/device', { user_code: device.user_code, confirm: 'yes' })
    const done = await browser.submit(login, '/login', { username: idp.jane.username, password: 'a test password' })
    expect(done.text).toContain('Device connected')
    const statuses = await atOnce(idp, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device.device_code })
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(new Set(statuses)).toEqual(new Set([200, 400]))
  })

  test('a DPoP proof is accepted once, at once and one after the other, and a second use is invalid_dpop_proof', async () => {
    await using idp = await startIdp({ store: make() })
    const proves = await createProver(idp)
    const parameters = { grant_type: 'client_credentials' }
    const dpop = await proves('POST', '/oauth/v2/token')
    const together = await answersAtOnce(idp, parameters, { dpop })
    expect(together.filter(({ status }) => status === 200)).toHaveLength(1)
    const [late] = await answersAtOnce(idp, parameters, { dpop }, 1)
    for (const refused of [...together.filter(({ status }) => status !== 200), late]) {
      expect(refused).toMatchObject({
        status: 400,
        error: 'invalid_dpop_proof',
        error_description: expect.stringContaining('used already'),
      })
    }
  })

  test('a DPoP proof for a resource is accepted once, and a second use is challenged with invalid_dpop_proof', async () => {
    await using idp = await startIdp({ store: make() })
    const proves = await createProver(idp)
    const bound = { ...idp.web, dpopBoundAccessTokens: true }
    await idp.domain.catalogue.commit({ putApplications: [bound], events: [] })
    const { callback, codeVerifier } = await authorize(idp, await relyingParty(idp, bound), { scope: `openid ${zitadelAudience}` })
    const [{ access_token: token = '' } = {}] = await answersAtOnce(
      idp,
      {
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') as string,
        redirect_uri: bound.redirectUris[0] as string,
        code_verifier: codeVerifier,
      },
      { dpop: await proves('POST', '/oauth/v2/token') },
      1,
    )
    for (const [method, path] of [
      ['GET', '/oidc/v1/userinfo'],
      ['POST', '/oidc/v1/userinfo'],
      ['GET', '/auth/v1/users/me/metadata/ContractNumber'],
      ['GET', '/account/sessions'],
    ] as const) {
      const headers = { authorization: `DPoP ${token}`, dpop: await proves(method, path, token) }
      const ask = () => fetch(idp.url(path), { method, headers })
      const together = await Promise.all([ask(), ask(), ask(), ask()])
      expect(
        together.filter(({ status }) => status === 200),
        path,
      ).toHaveLength(1)
      for (const refused of [...together.filter(({ status }) => status !== 200), await ask()]) {
        expect(refused.status, path).toBe(401)
        expect(refused.headers.get('www-authenticate'), path).toMatch(/^DPoP .*error="invalid_dpop_proof"/)
      }
    }
  })
})

/** Makes proofs of one key for requests to the server. */
async function createProver(idp: Idp) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  return (method: string, path: string, token?: string) =>
    new SignJWT({
      jti: randomUUID(),
      htm: method,
      htu: idp.url(path).href,
      ...(token !== undefined && { ath: hash('sha256', token, 'base64url') }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey)
}

const atOnce = async (idp: Idp, parameters: Record<string, string>) => (await answersAtOnce(idp, parameters)).map(({ status }) => status)

/** What `count` token requests with the same parameters are answered. */
function answersAtOnce(idp: Idp, parameters: Record<string, string>, headers: Record<string, string> = {}, count = 50) {
  const authorization = `Basic ${Buffer.from(`${idp.web.clientId}:${idp.secret}`).toString('base64')}`
  return Promise.all(
    Array.from({ length: count }, async () => {
      const response = await fetch(idp.url('/oauth/v2/token'), {
        method: 'POST',
        headers: { authorization, ...headers },
        body: new URLSearchParams(parameters),
      })
      const body = (await response.json()) as { error?: string; error_description?: string; access_token?: string }
      return { status: response.status, ...body }
    }),
  )
}
