/**
 * How a website in Express uses Dossier with `express-openid-connect`.
 *
 * Register the application with `baseURL + '/callback'` as its redirect URI and `baseURL` as its post-logout redirect URI. Set `response_type` to `code`:
 * the library's default asks for an ID token by the implicit flow, which an application of Dossier has only if it is configured for it.
 */
import express from 'express'
import { auth, requiresAuth } from 'express-openid-connect'
import session from 'express-session'
import { expect, test } from 'vitest'
import { type Idp, startIdp } from '../support/idp.ts'
import { metadataScope } from '../support/relyingParty.ts'
import { startWebsite } from '../support/website.ts'

type Options = NonNullable<Parameters<typeof auth>[0]>

const website =
  (idp: Idp, options: Options = {}) =>
  (origin: string) => {
    const app = express()
    app.use(
      auth({
        issuerBaseURL: idp.issuer,
        baseURL: origin,
        clientID: idp.web.clientId,
        clientSecret: idp.secret,
        secret: 'what the library seals its own cookie with',
        authRequired: false,
        // Signing out here signs the person out of Dossier too.
        idpLogout: true,
        authorizationParams: { response_type: 'code', scope: `openid profile email offline_access ${metadataScope}` },
        ...options,
      }),
    )
    app.get('/', (request, response) => void response.send(request.oidc.isAuthenticated() ? 'signed in' : 'signed out'))
    app.get('/profile', requiresAuth(), async (request, response) => {
      // The ID token says who it is; userinfo says everything that the scopes cover, metadata among it.
      response.json({ user: request.oidc.user, userinfo: await request.oidc.fetchUserInfo() })
    })
    app.get('/renewed', requiresAuth(), async (request, response) => {
      const { accessToken } = request.oidc
      const before = accessToken?.access_token
      const after = await accessToken?.refresh()
      response.json({ isNew: after?.access_token !== before, userinfo: await request.oidc.fetchUserInfo() })
    })
    return app
  }

test('a page that requires it signs a person in, with their profile and metadata; signing out ends it at the provider too', async () => {
  await using idp = await startIdp()
  await using site = await startWebsite(idp, website(idp))
  const jane = site.visitor()
  expect((await jane.open('/')).text).toBe('signed out')

  const profile = await jane.open('/profile')
  expect(profile.url.href).toBe(`${site.origin}/profile`)
  expect(JSON.parse(profile.text)).toMatchObject({
    user: { sub: idp.jane.id, sid: expect.any(String) },
    userinfo: { sub: idp.jane.id, given_name: 'Jane', email: 'jane@acme.example', [metadataScope]: { ContractNumber: 'MTIzNA' } },
  })
  expect((await jane.open('/')).text).toBe('signed in')
  expect(JSON.parse((await jane.open('/renewed')).text)).toMatchObject({ isNew: true, userinfo: { sub: idp.jane.id } })

  const left = await jane.open('/logout')
  expect(left.url.href).toBe(`${site.origin}/`)
  expect(left.text).toBe('signed out')
  expect(JSON.parse((await jane.open('/profile')).text)).toMatchObject({ user: { sub: idp.jane.id } })
})

test('it pushes its requests, and its ID token carries profile and metadata itself when the application is configured so', async () => {
  await using idp = await startIdp()
  const changes = { idTokenUserinfoAssertion: true, requirePushedAuthorizationRequests: true }
  await using site = await startWebsite(idp, website(idp, { pushedAuthorizationRequests: true }), changes)
  const { user } = JSON.parse((await site.visitor().open('/profile')).text)
  expect(user).toMatchObject({ given_name: 'Jane', email: 'jane@acme.example', [metadataScope]: { ContractNumber: 'MTIzNA' } })
})

test('a person who signs out somewhere else is signed out here (back-channel)', async () => {
  await using idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: 'localhost' } })
  const options = { backchannelLogout: { store: new session.MemoryStore() as never } }
  await using site = await startWebsite(idp, website(idp, options))
  const backChannelLogoutUri = `${site.origin}/backchannel-logout`
  await idp.domain.catalogue.commit({ putApplications: [{ ...site.application, backChannelLogoutUri }], events: [] })
  const jane = site.visitor()
  await jane.open('/profile')
  expect((await jane.open('/')).text).toBe('signed in')
  await jane.open(idp.url('/oidc/v1/end_session').href)
  // It is told beside the way that the person goes.
  await expect.poll(async () => (await jane.open('/')).text).toBe('signed out')
})
