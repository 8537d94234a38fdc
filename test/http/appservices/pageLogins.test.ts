/** Providers of apps as buttons on Dossier's own sign-in page. */
import * as client from 'openid-client'
import { Credentials } from 'realm-web'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser, Page } from '../../support/browser.ts'
import { clientId, clientSecret, startOpenIdProvider } from '../../support/identityProviders.ts'
import { password, person } from '../../support/idp.ts'
import { relyingParty } from '../../support/relyingParty.ts'
import { type Place, providersFile, startPlace } from './place.ts'

const system = { kind: 'system' } as const
const google = await startOpenIdProvider()
const files = (changes: object = {}) =>
  providersFile({
    'oauth2-google': {
      config: { clientId, issuer: google.issuer },
      secret_config: { clientSecret: 'theSecret' },
      metadata_fields: [{ required: false, name: 'picture' }],
      ...changes,
    },
    'oauth2-keycloak': { config: { clientId, issuer: google.issuer }, disabled: true },
  })
const someone = (sub: string, claims: object = {}) => ({
  sub,
  name: `Person ${sub}`,
  email: `${sub}@app.example`,
  email_verified: true,
  ...claims,
})

let place: Place
beforeAll(async () => {
  place = await startPlace(files(), { environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
  await place.domain.apps.setSecret(place.app.id, 'theSecret', clientSecret, system)
})
afterAll(() => Promise.all([place, google].map((each) => each[Symbol.asyncDispose]())))

/** Opens the sign-in page for the application `web`. */
async function arrive(browser: Browser = place.browser(), scope = 'openid profile email user_metadata') {
  const configuration = await relyingParty(place, place.web)
  const [codeVerifier, state] = [client.randomPKCECodeVerifier(), client.randomState()]
  const address = client.buildAuthorizationUrl(configuration, {
    redirect_uri: place.web.redirectUris[0] as string,
    scope,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  })
  const page = await browser.open(address)
  const tokens = (callback: URL) =>
    client.authorizationCodeGrant(configuration, callback, { pkceCodeVerifier: codeVerifier, expectedState: state })
  return { browser, page, tokens, configuration }
}

/** Presses the button, and comes back from the provider. */
async function press(browser: Browser, page: Page, returning = browser): Promise<Page> {
  const away = await browser.submit(page, '/provider/google')
  expect(away.url.origin).toBe(google.issuer)
  const back = (await fetch(away.url, { redirect: 'manual' })).headers.get('location') ?? ''
  return returning.open(back)
}

test('whoever is new becomes a user, and is the same in the app; what the provider told is user_metadata', async () => {
  google.state.person = someone('new', { picture: 'https://p.example/new.jpg' })
  const { browser, page, tokens, configuration } = await arrive()
  expect(page.text).toContain('id="provider-google"')
  expect(page.text).not.toContain('id="provider-keycloak"')
  const done = await tokens((await press(browser, page)).url)
  const claims = done.claims()
  const userInfo = await client.fetchUserInfo(configuration, done.access_token, claims?.sub as string)
  expect(userInfo).toMatchObject({
    name: 'Person new',
    email: 'new@app.example',
    email_verified: true,
    user_metadata: { picture: 'https://p.example/new.jpg' },
  })
  expect((await place.client().logIn(Credentials.google({ idToken: await google.idToken(google.state.person) }))).id).toBe(claims?.sub)
  // The second time there is nothing to be made.
  const again = await arrive()
  expect((await again.tokens((await press(again.browser, again.page)).url)).claims()?.sub).toBe(claims?.sub)
})

test("somebody else's account is connected only by whoever proves it with its password", async () => {
  const owner = await place.domain.users.create(
    person({ username: 'owner', profile: { email: 'owner@app.example', emailVerified: true } }),
    system,
  )
  google.state.person = someone('owner')
  const { browser, page, tokens } = await arrive()
  const asked = await press(browser, page)
  expect([asked.status, asked.text]).toEqual([200, expect.stringContaining('id="link-submit"')])
  const arrival = asked.url.pathname.split('/').at(-1) ?? ''
  const wrong = await browser.submit(asked, arrival, { password: 'not the password' })
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('The password is wrong.')])
  expect((await place.domain.users.get(owner.id)).identities ?? []).toEqual([])
  const done = await browser.submit(wrong, arrival, { password })
  expect((await tokens(done.url)).claims()?.sub).toBe(owner.id)
  const again = await arrive()
  expect((await again.tokens((await press(again.browser, again.page)).url)).claims()?.sub).toBe(owner.id)
})

test('an address that the provider has not verified connects nobody, and is not taken for verified', async () => {
  const owner = await place.domain.users.create(
    person({ username: 'victim', profile: { email: 'victim@app.example', emailVerified: true } }),
    system,
  )
  google.state.person = someone('attacker', { email: 'victim@app.example', email_verified: false })
  const { browser, page, tokens } = await arrive()
  const { sub } = (await tokens((await press(browser, page)).url)).claims() ?? {}
  expect(sub).not.toBe(owner.id)
  expect((await place.domain.users.get(sub as never)).profile.emailVerified).not.toBe(true)
  // By the app's own login neither, where nobody can be asked for a password: the address stays its owner's.
  const claims = someone('second', { email: 'victim@app.example' })
  const user = await place.client().logIn(Credentials.google({ idToken: await google.idToken(claims) }))
  expect(user.id).not.toBe(owner.id)
  expect((await place.domain.users.findByLoginName('victim@app.example'))?.id).toBe(owner.id)
})

test('nobody is signed in by an answer that another browser asked for, or twice', async () => {
  google.state.person = someone('mallory')
  const mallory = await arrive()
  const victim = await arrive()
  expect((await press(mallory.browser, mallory.page, victim.browser)).status).toBe(400)
  const fresh = await arrive()
  const away = await fresh.browser.submit(fresh.page, '/provider/google')
  const back = (await fetch(away.url, { redirect: 'manual' })).headers.get('location') ?? ''
  const reply = await fetch(back, { redirect: 'manual', headers: { cookie: fresh.browser.cookieHeader(new URL(back).pathname) } })
  const arrival = reply.headers.get('location') ?? ''
  // The ticket belongs to the interaction that asked for it: neither without its cookie, nor under another's address.
  expect((await place.browser().open(arrival)).status).toBe(400)
  const foreign = arrival.replace(/interaction\/[^/]+/, victim.page.url.pathname.split('/').slice(1, 3).join('/'))
  expect([(await victim.browser.open(foreign)).text]).toEqual([expect.stringContaining('This sign-in has expired.')])
  expect((await fresh.browser.open(arrival)).url.origin).toBe(new URL(place.web.redirectUris[0] as string).origin)
  expect((await fresh.browser.open(arrival)).status).toBe(400)
})

test('what goes wrong at the provider is told on the page, where one can sign in otherwise', async () => {
  google.state.denies = true
  const { browser, page } = await arrive()
  const denied = await press(browser, page)
  google.state.denies = false
  expect([denied.status, denied.text]).toEqual([400, expect.stringContaining('role="alert"')])
  expect(denied.text).toContain('id="login-submit"')
  const form = { csrf: /name="csrf" value="([^"]+)"/.exec(denied.text)?.[1] ?? '' }
  const unknown = await browser.open(`${page.url.pathname}/provider/nobody`, form)
  expect([unknown.status, unknown.text]).toEqual([400, expect.stringContaining('there is no provider')])
  expect((await browser.open(`${page.url.pathname}/provider/google`, {})).status).toBe(403)
  await place.push(files({ disabled: true }))
  expect((await arrive()).page.text).not.toContain('provider-google')
  await place.push(files())
})
