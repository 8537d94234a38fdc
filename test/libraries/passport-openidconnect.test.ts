/**
 * How a website in Express uses Dossier with `passport` and `passport-openidconnect`.
 *
 * The library reads no discovery document, so the addresses are written down, and it sends no PKCE challenge: the application must be registered as a
 * confidential one with `requirePkce: false`.
 */
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import OpenIDConnectStrategy from 'passport-openidconnect'
import { expect, test } from 'vitest'
import { type Idp, startIdp } from '../support/idp.ts'
import { metadataScope } from '../support/relyingParty.ts'
import { startWebsite } from '../support/website.ts'

const website = (idp: Idp) => (origin: string) => {
  const app = express()
  const strategies = new passport.Passport()
  strategies.use(
    new OpenIDConnectStrategy(
      {
        issuer: idp.issuer,
        authorizationURL: `${idp.issuer}/oauth/v2/authorize`,
        tokenURL: `${idp.issuer}/oauth/v2/token`,
        userInfoURL: `${idp.issuer}/oidc/v1/userinfo`,
        callbackURL: `${origin}/callback`,
        clientID: idp.web.clientId,
        clientSecret: idp.secret,
        // It adds `openid` by itself.
        scope: ['profile', 'email', metadataScope],
        nonce: 'yes',
      },
      // A function of nine parameters is given userinfo as it came, `_json`, where the metadata is; one of fewer gets passport's own profile only.
      (
        _issuer: string,
        userinfo: object,
        profile: object,
        _context: object,
        idToken: string | object,
        _accessToken: string | object,
        _refreshToken: string,
        _parameters: unknown,
        done: OpenIDConnectStrategy.VerifyCallback,
      ) => done(null, { profile, userinfo, idToken }),
    ),
  )
  strategies.serializeUser((user, done) => done(null, user))
  strategies.deserializeUser((user: Express.User, done) => done(null, user))

  app.use(session({ secret: 'what the cookie of the website is signed with', resave: false, saveUninitialized: false }))
  app.use(strategies.session())
  app.get('/sign-in', strategies.authenticate('openidconnect'))
  app.get('/callback', strategies.authenticate('openidconnect', { successRedirect: '/', failureRedirect: '/failed' }))
  app.get('/', (request, response) => void response.json(request.user ?? null))
  app.get('/sign-out', (request, response, next) => {
    // Passport ends its own session only; the provider's is ended by the person, at this address.
    const { idToken } = request.user as { idToken: string }
    const leaving = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: origin })
    request.logout((error) => (error ? next(error) : response.redirect(`${idp.issuer}/oidc/v1/end_session?${leaving}`)))
  })
  return app
}

test('a person signs in with their profile and metadata, and out', async () => {
  await using idp = await startIdp()
  await using site = await startWebsite(idp, website(idp), { requirePkce: false })
  const jane = site.visitor()
  expect((await jane.open('/')).text).toBe('null')

  const home = await jane.open('/sign-in')
  expect(home.url.href).toBe(`${site.origin}/`)
  expect(JSON.parse(home.text)).toMatchObject({
    profile: { id: idp.jane.id },
    userinfo: {
      id: idp.jane.id,
      displayName: 'Jane Doe',
      emails: [{ value: 'jane@acme.example' }],
      _json: { email: 'jane@acme.example', [metadataScope]: { ContractNumber: 'MTIzNA' } },
    },
  })

  const left = await jane.open('/sign-out')
  expect(left.url.href).toBe(`${site.origin}/`)
  expect(left.text).toBe('null')
})

test('an application that requires PKCE refuses the library with a reason', async () => {
  await using idp = await startIdp()
  await using site = await startWebsite(idp, website(idp))
  const refused = await site.visitor().open('/sign-in')
  expect(refused.url.pathname).toBe('/callback')
  expect(refused.url.searchParams.get('error')).toBe('invalid_request')
  expect(refused.url.searchParams.get('error_description')).toMatch(/PKCE|code_challenge/)
})
