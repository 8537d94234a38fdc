import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const fifty = Array.from({ length: 50 })

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

  test('a DPoP proof is accepted once', async () => {
    await using idp = await startIdp({ store: make() })
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const proof = await new SignJWT({ jti: 'the only one', htm: 'POST', htu: idp.url('/oauth/v2/token').href })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
      .setIssuedAt()
      .sign(privateKey)
    const statuses = await atOnce(idp, { grant_type: 'client_credentials' }, { dpop: proof })
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(new Set(statuses)).toEqual(new Set([200, 400]))
  })
})

/** The statuses of 50 token requests with the same parameters. */
function atOnce(idp: Idp, parameters: Record<string, string>, headers: Record<string, string> = {}): Promise<number[]> {
  const authorization = `Basic ${Buffer.from(`${idp.web.clientId}:${idp.secret}`).toString('base64')}`
  return Promise.all(
    fifty.map(async () => {
      const response = await fetch(idp.url('/oauth/v2/token'), {
        method: 'POST',
        headers: { authorization, ...headers },
        body: new URLSearchParams(parameters),
      })
      await response.body?.cancel()
      return response.status
    }),
  )
}
