import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { startIdp } from '../../support/idp.ts'
import { metadataScope, relyingParty, signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

describe.each(testStores)('on $name', ({ make }) => {
  test('an application with the refresh token grant gets one for `offline_access`, without being asked for consent', async () => {
    await using idp = await startIdp({ store: make() })
    const { configuration, tokens } = await signIn(idp, { scope: `openid email offline_access ${metadataScope}` })
    expect(tokens.scope?.split(' ')).toContain('offline_access')
    expect(tokens.expires_in).toBeTypeOf('number')
    const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token as string)
    expect(decodeJwt(refreshed.id_token as string)).toMatchObject({
      sub: idp.jane.id,
      azp: idp.web.clientId,
      at_hash: expect.any(String),
      sid: expect.any(String),
    })
    expect(await client.fetchUserInfo(configuration, refreshed.access_token, idp.jane.id)).toHaveProperty([metadataScope])
  })

  test('an application without the refresh token grant gets no refresh token', async () => {
    await using idp = await startIdp({ store: make() })
    await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, grantTypes: ['authorizationCode'] }], events: [] })
    const { tokens } = await signIn(idp, { scope: 'openid offline_access' })
    expect(tokens).not.toHaveProperty('refresh_token')
  })

  test('without `offline_access` there is no refresh token', async () => {
    await using idp = await startIdp({ store: make() })
    expect((await signIn(idp, { scope: 'openid' })).tokens).not.toHaveProperty('refresh_token')
  })

  test('a rotated refresh token works once, and its reuse revokes the family', async () => {
    await using idp = await startIdp({ store: make() })
    const { configuration, tokens } = await signIn(idp, { application: idp.spa, scope: 'openid offline_access' })
    const second = await client.refreshTokenGrant(configuration, tokens.refresh_token as string)
    expect(second.refresh_token).not.toBe(tokens.refresh_token)
    await expect(client.refreshTokenGrant(configuration, tokens.refresh_token as string)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(client.refreshTokenGrant(configuration, second.refresh_token as string)).rejects.toMatchObject({ error: 'invalid_grant' })
    const userinfo = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${second.access_token}` } })
    expect(userinfo.status).toBe(401)
  })

  test('a refresh token of one application is nothing to another', async () => {
    await using idp = await startIdp({ store: make() })
    const { tokens } = await signIn(idp, { application: idp.spa, scope: 'openid offline_access' })
    const other = await relyingParty(idp, idp.web)
    await expect(client.refreshTokenGrant(other, tokens.refresh_token as string)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('a revoked refresh token takes its access tokens along', async () => {
    await using idp = await startIdp({ store: make() })
    const { configuration, tokens } = await signIn(idp, { scope: 'openid offline_access' })
    await client.tokenRevocation(configuration, tokens.refresh_token as string)
    expect(await client.tokenIntrospection(configuration, tokens.access_token)).toEqual({ active: false })
    await expect(client.refreshTokenGrant(configuration, tokens.refresh_token as string)).rejects.toMatchObject({ error: 'invalid_grant' })
  })
})
