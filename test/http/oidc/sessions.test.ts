import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, signIn, zitadelAudience } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const system = { kind: 'system' } as const

describe.each(testStores)('on $name', ({ make }) => {
  test('who is signed in is not asked again', async () => {
    await using idp = await startIdp({ store: make() })
    const browser = idp.browser()
    await signIn(idp, { browser })
    const configuration = await relyingParty(idp, idp.spa)
    const { callback } = await authorize(idp, configuration, { application: idp.spa, browser, parameters: { prompt: 'none' } })
    expect(callback.searchParams.get('code')).toBeTruthy()
  })

  for (const [what, end] of [
    ['deactivated', (idp: Idp) => idp.domain.users.deactivate(idp.jane.id, system)],
    ['removed', (idp: Idp) => idp.domain.users.remove(idp.jane.id, system)],
  ] as const) {
    test(`a ${what} user has no working token and no session any more`, async () => {
      await using idp = await startIdp({ store: make() })
      const browser = idp.browser()
      const { configuration, tokens } = await signIn(idp, { browser, scope: `openid offline_access ${zitadelAudience}` })
      const { token: personal } = await idp.domain.users.createToken(idp.jane.id, { name: 'script' }, system)
      expect((await search(idp, personal)).status).toBe(200)
      await end(idp)
      for (const token of [tokens.access_token, personal]) {
        expect((await userinfo(idp, token)).status).toBe(401)
        expect((await search(idp, token)).status).toBe(401)
      }
      expect(await client.tokenIntrospection(configuration, tokens.access_token)).toEqual({ active: false })
      expect(await client.tokenIntrospection(configuration, tokens.refresh_token as string)).toEqual({ active: false })
      await expect(client.refreshTokenGrant(configuration, tokens.refresh_token as string)).rejects.toMatchObject({
        error: 'invalid_grant',
      })
      const silent = await authorize(idp, configuration, { browser, parameters: { prompt: 'none' } })
      expect(silent.callback.searchParams.get('error')).toBe('login_required')
      await expect(authorize(idp, configuration, { browser })).rejects.toThrow('The user name or the password is wrong.')
    })
  }

  test('a code that was issued before the user was deactivated is worth nothing', async () => {
    await using idp = await startIdp({ store: make() })
    const configuration = await relyingParty(idp, idp.web)
    const { callback, codeVerifier, nonce, state } = await authorize(idp, configuration, {})
    await idp.domain.users.deactivate(idp.jane.id, system)
    await expect(
      client.authorizationCodeGrant(configuration, callback, {
        pkceCodeVerifier: codeVerifier,
        expectedNonce: nonce,
        expectedState: state,
      }),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('a reactivated user signs in again; what they held before stays dead', async () => {
    await using idp = await startIdp({ store: make() })
    const { tokens } = await signIn(idp)
    await idp.domain.users.deactivate(idp.jane.id, system)
    await idp.domain.users.reactivate(idp.jane.id, system)
    expect((await userinfo(idp, tokens.access_token)).status).toBe(401)
    expect((await signIn(idp)).tokens.access_token).toBeTruthy()
  })

  test('a changed password ends every session', async () => {
    await using idp = await startIdp({ store: make() })
    const { tokens } = await signIn(idp)
    await idp.domain.users.setPassword(idp.jane.id, 'another long password', system)
    expect((await userinfo(idp, tokens.access_token)).status).toBe(401)
  })

  test('two applications that authorize at once in one browser session both succeed', async () => {
    await using idp = await startIdp({ store: make() })
    const browser = idp.browser()
    await signIn(idp, { browser })
    for (let round = 0; round < 5; round += 1) {
      const [web, spa] = await Promise.all([relyingParty(idp, idp.web), relyingParty(idp, idp.spa)])
      const [a, b] = await Promise.all([authorize(idp, web, { browser }), authorize(idp, spa, { browser, application: idp.spa })])
      const exchange = (configuration: client.Configuration, { callback, codeVerifier, nonce, state }: typeof a) =>
        client.authorizationCodeGrant(configuration, callback, {
          pkceCodeVerifier: codeVerifier,
          expectedNonce: nonce,
          expectedState: state,
        })
      const [first, second] = await Promise.all([exchange(web, a), exchange(spa, b)])
      expect((await userinfo(idp, first.access_token)).status).toBe(200)
      expect((await userinfo(idp, second.access_token)).status).toBe(200)
    }
  })
})

const userinfo = (idp: Idp, token: string) => fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${token}` } })
const search = (idp: Idp, token: string) =>
  fetch(idp.url('/auth/v1/users/me/metadata/_search'), { method: 'POST', headers: { authorization: `Bearer ${token}` } })
