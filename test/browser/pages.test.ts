/** The pages as people meet them: in Chromium, with and without JavaScript, on a telephone and on a desk, light and dark. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { clientId, clientSecret, startOpenIdProvider } from '../support/identityProviders.ts'
import { type Idp, password, startIdp } from '../support/idp.ts'

/** Runs in the page: what axe complains of, and where. */
const findFaults =
  'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map((node) => node.html).join(" ")))'

const looks = [
  { name: 'a telephone, light', viewport: { width: 320, height: 640 }, colorScheme: 'light' },
  { name: 'a telephone, dark', viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
  { name: 'a desk, light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'a desk, dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
] as const

describe.skipIf(withoutChromium !== undefined)(`in Chromium${withoutChromium ? ` (${withoutChromium})` : ''}`, () => {
  let chromium: Chromium
  beforeAll(async () => {
    chromium = await startChromium()
    await once(application.listen(0, 'localhost'), 'listening')
  })
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]()
    application.close()
    await google[Symbol.asyncDispose]()
  })

  test('a person signs in with JavaScript switched off, consents, and signs out again', async () => {
    await using idp = await startWithApplication()
    await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, firstParty: false }], events: [] })
    const page = await chromium.newPage({ javaScriptEnabled: false })
    await page.goto(authorizeAddress(idp))
    expect(await page.textContent('h1')).toBe('Sign in')
    await page.fill('#username', idp.jane.username)
    await page.fill('#password', 'wrong password')
    await page.click('#login-submit')
    expect(await page.textContent('[role=alert]')).toBe('The user name or the password is wrong.')
    expect(await page.inputValue('#username')).toBe(idp.jane.username)
    await page.fill('#password', password)
    await page.click('#login-submit')
    expect(await page.textContent('h1')).toBe('Allow access')
    await page.click('#consent-allow')
    await page.waitForSelector('text=back at the application')
    expect(new URL(page.url()).searchParams.get('code')).toBeTruthy()

    await page.goto(idp.url('/oidc/v1/end_session').href)
    await page.click('#logout-cancel')
    expect(await page.textContent('h1')).toBe('Still signed in')
    await page.goto(idp.url('/oidc/v1/end_session').href)
    await page.click('#logout-confirm')
    expect(await page.textContent('h1')).toBe('Signed out')
  })

  test('the keyboard alone is enough: the first field has the focus, Enter sends the form', async () => {
    await using idp = await startWithApplication()
    const page = await chromium.newPage()
    await page.goto(authorizeAddress(idp))
    await page.locator('#username:focus').waitFor()
    await page.keyboard.type(idp.jane.username)
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await page.waitForSelector('text=back at the application')
    expect(new URL(page.url()).searchParams.get('code')).toBeTruthy()
  })

  test('a page breaks no rule of its own Content-Security-Policy', async () => {
    await using idp = await startWithApplication()
    const complaints: string[] = []
    for (const { open } of pages) {
      const page = await chromium.newPage()
      page.on('console', (message) => complaints.push(message.text()))
      await open(page, idp)
      await page.context().close()
    }
    expect(complaints.filter((text) => /Content Security Policy|refused/i.test(text))).toEqual([])
  })

  for (const look of looks) {
    test(`on ${look.name}, no page has a fault that axe finds, or scrolls sideways`, async () => {
      await using idp = await startWithApplication()
      for (const { name, open } of pages) {
        // axe is run by the debugger, which the page's policy does not bind.
        const page = await chromium.newPage({ viewport: look.viewport, colorScheme: look.colorScheme, bypassCSP: true })
        await open(page, idp)
        await page.addScriptTag({ content: axe.source })
        const violations = await page.evaluate(findFaults)
        expect(violations, name).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), `${name} scrolls sideways`).toBe(true)
        expect(await page.locator('h1').count(), name).toBe(1)
        await page.context().close()
      }
    })
  }
})

const authorizeAddress = (idp: Idp, parameters: Record<string, string> = {}) =>
  idp.url(
    `/oauth/v2/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: idp.web.clientId,
      redirect_uri: idp.web.redirectUris[0] as string,
      scope: 'openid profile email urn:zitadel:iam:user:metadata',
      code_challenge: 'A'.repeat(43),
      code_challenge_method: 'S256',
      ...parameters,
    })}`,
  ).href

/** Where people come back to. */
const application = createServer((_request, response) => response.end('back at the application'))

const google = await startOpenIdProvider()

/** With an app whose people come by Google, too. */
async function startWithApplication(): Promise<Idp> {
  const idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
  const provider = { type: 'oauth2-google', config: { clientId, issuer: google.issuer }, secret_config: { clientSecret: 'google' } }
  const folder = new Map([['auth/providers.json', Buffer.from(JSON.stringify({ 'oauth2-google': provider }))]])
  const { app } = await idp.domain.apps.push('myapp-abcde', folder, { kind: 'system' })
  await idp.domain.apps.setSecret(app.id, 'google', clientSecret, { kind: 'system' })
  google.state.person = { sub: 'jane', email: 'jane@acme.example', email_verified: true }
  const { port } = application.address() as AddressInfo
  const web = { ...idp.web, redirectUris: [`http://localhost:${port}/callback`] }
  await idp.domain.catalogue.commit({ putApplications: [web], events: [] })
  return { ...idp, web }
}

async function signIn(page: Page, idp: Idp, parameters: Record<string, string> = {}): Promise<void> {
  await page.goto(authorizeAddress(idp, parameters))
  await page.fill('#username', idp.jane.username)
  await page.fill('#password', password)
  await page.click('#login-submit')
}

/** Every page there is, and how a person gets there. */
const pages: readonly { readonly name: string; readonly open: (page: Page, idp: Idp) => Promise<void> }[] = [
  { name: 'home', open: async (page, idp) => void (await page.goto(idp.issuer)) },
  { name: 'sign in', open: async (page, idp) => void (await page.goto(authorizeAddress(idp))) },
  {
    name: 'connect an account',
    async open(page, idp) {
      await page.goto(authorizeAddress(idp))
      await page.click('#provider-google')
      await page.waitForSelector('#link-submit')
    },
  },
  {
    name: 'sign in, refused',
    async open(page, idp) {
      await page.goto(authorizeAddress(idp))
      await page.fill('#username', `nobody-${Math.random()}`)
      await page.fill('#password', 'wrong password')
      await page.click('#login-submit')
    },
  },
  {
    name: 'consent',
    async open(page, idp) {
      await idp.domain.catalogue.commit({
        putApplications: [{ ...idp.web, firstParty: false, policyUri: 'https://acme.example/privacy' }],
        events: [],
      })
      await signIn(page, idp)
      await page.waitForSelector('#consent-allow')
    },
  },
  {
    name: 'choose an account',
    async open(page, idp) {
      await idp.domain.catalogue.commit({ putApplications: [idp.web], events: [] })
      await signIn(page, idp)
      await page.goto(authorizeAddress(idp, { prompt: 'select_account' }))
      await page.waitForSelector('#account-continue')
    },
  },
  {
    name: 'sign out',
    async open(page, idp) {
      await signIn(page, idp)
      await page.goto(idp.url('/oidc/v1/end_session').href)
      await page.waitForSelector('#logout-confirm')
    },
  },
  {
    name: 'signed out',
    async open(page, idp) {
      await signIn(page, idp)
      await page.goto(idp.url('/oidc/v1/end_session').href)
      await page.click('#logout-confirm')
      await page.waitForSelector('text=You have been signed out')
    },
  },
  { name: 'device code', open: async (page, idp) => void (await page.goto(idp.url('/device').href)) },
  {
    name: 'device code, wrong',
    async open(page, idp) {
      await page.goto(idp.url('/device').href)
      await page.fill('#user-code', 'WRONG-CODE')
      await page.click('#device-submit')
    },
  },
  { name: 'an error', open: async (page, idp) => void (await page.goto(idp.url('/oauth/v2/authorize?client_id=nobody').href)) },
  { name: 'nothing here', open: async (page, idp) => void (await page.goto(idp.url('/nothing').href)) },
]
