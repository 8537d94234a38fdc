/** Registration, another password and the account as people do them, in Chromium: on a phone, on a desk, by night, and without JavaScript. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { type Idp, password, startIdp } from '../support/idp.ts'
import { linkIn, mailAt, openRegistration } from '../support/mailbox.ts'
import { expectUsable, looks, narrow, openSignedIn, signInWhereAsked } from '../support/pages.ts'
import { tempDir } from '../support/temp.ts'

const system = { kind: 'system' } as const
const fields = [
  { key: 'ContractNumber', label: { en: 'Contract number', de: 'Vertragsnummer' }, pattern: '[0-9]{4}', required: true },
  { key: 'Team', label: 'Team', required: false },
]

/** Where people come back to. */
const application = createServer((_request, response) => response.end('back at the application'))

type Place = Idp & { readonly mail: string }

async function start(): Promise<Place> {
  const mail = tempDir()
  const idp = await startIdp({ environment: { DOSSIER_MAIL_DIRECTORY: mail } })
  const { port } = application.address() as AddressInfo
  const web = { ...idp.web, redirectUris: [`http://localhost:${port}/callback`] }
  await idp.domain.catalogue.commit({ putApplications: [web], events: [] })
  await openRegistration(idp, { registrationFields: fields, selfManagedMetadata: ['prefs.*'] })
  const profile = { ...idp.jane.profile, email: 'jane@acme.example', emailVerified: true }
  await idp.domain.users.edit(idp.jane.id, { profile }, system)
  const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
  await idp.domain.metadata.set(
    idp.jane.id,
    [
      { key: 'Settings', value: Buffer.from('{"theme":"dark"}') },
      { key: 'Logo', value: picture },
      { key: 'Raw', value: Buffer.from([0, 255, 1]) },
      { key: 'a-very-long-key-without-a-place-to-break-'.repeat(4), value: Buffer.from('x'.repeat(700)) },
    ],
    system,
  )
  const identity = { app: 'shop', provider: 'oauth2-google', key: 'g', id: 'g', data: { name: 'Jane at Google', picture: 'x'.repeat(300) } }
  await idp.domain.users.addIdentity(
    idp.jane.id,
    { ...identity, createdAt: '2027-01-01T00:00:00Z', usedAt: '2027-01-02T00:00:00Z' },
    system,
  )
  await idp.domain.stores.artifacts.put({
    model: 'Grant',
    id: 'seen',
    payload: { jti: 'seen', clientId: web.clientId, accountId: idp.jane.id, openid: { scope: 'openid email offline_access' } },
    accountId: idp.jane.id,
  })
  return { ...idp, web, mail }
}

const authorizeAddress = (idp: Idp, parameters: Record<string, string> = {}) =>
  idp.url(
    `/oauth/v2/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: idp.web.clientId,
      redirect_uri: idp.web.redirectUris[0] as string,
      scope: 'openid profile email',
      code_challenge: 'A'.repeat(43),
      code_challenge_method: 'S256',
      ...parameters,
    })}`,
  ).href

async function fillIn(page: Page, email: string): Promise<void> {
  await page.fill('#register-email', email)
  await page.fill('#register-given-name', 'Nora')
  await page.fill('#register-family-name', 'Newman')
  await page.fill('#register-field-0', '1234')
  await page.fill('#register-password', 'a password of hers')
}

/** Every page of the account, and what a person does there first. */
const pages: readonly (readonly [path: string, open?: (page: Page) => Promise<void>])[] = [
  ['/account'],
  ['/account/profile'],
  [
    '/account/profile',
    async (page) => {
      await page.fill('#profile-locale', '?')
      await page.click('#profile-submit')
      await page.waitForSelector('[aria-invalid]')
    },
  ],
  ['/account/email'],
  ['/account/email/confirm?link=old'],
  ['/account/phone'],
  [
    '/account/phone',
    async (page) => {
      await page.fill('#phone', '+41 44 123 45 67')
      await page.click('#phone-submit')
      await page.waitForSelector('#phone-code')
    },
  ],
  ['/account/phone/remove'],
  ['/account/data'],
  ['/account/data/metadata'],
  ['/account/access'],
  ['/account/sessions'],
  ['/account/sign-in'],
  ['/account/password'],
  ['/account/export/print'],
  ['/account/delete'],
]

describe.skipIf(withoutChromium !== undefined)(`in Chromium${withoutChromium ? ` (${withoutChromium})` : ''}`, () => {
  let chromium: Chromium
  beforeAll(async () => {
    chromium = await startChromium()
    await once(application.listen(0, 'localhost'), 'listening')
  })
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]()
    application.close()
  })

  for (const [name, options] of [
    ['on a phone', narrow],
    ['without JavaScript', { ...narrow, javaScriptEnabled: false }],
    ['on a desk', { viewport: { width: 1280, height: 900 } }],
  ] as const) {
    test(`${name}, somebody registers from the sign-in page and is back at the application`, async () => {
      await using idp = await start()
      const page = await chromium.newPage(options)
      await page.goto(authorizeAddress(idp))
      await page.click('#register-link')
      await fillIn(page, 'nora@acme.example')
      await page.fill('#register-field-0', 'no number')
      await page.click('#register-submit')
      expect(await page.textContent('#register-field-0-fault')).toContain('does not have the right form')
      expect(await page.inputValue('#register-given-name')).toBe('Nora')
      await page.fill('#register-field-0', '1234')
      await page.fill('#register-password', 'a password of hers')
      await page.click('#register-submit')
      expect(await page.textContent('h1')).toBe('Check your mail')
      await page.goto(linkIn(await mailAt(idp.mail, 1)))
      await page.click('#confirm-submit')
      await page.waitForSelector('text=back at the application')
      expect(new URL(page.url()).searchParams.get('code')).toBeTruthy()
      expect(await idp.domain.users.findByUsername('nora@acme.example')).toMatchObject({ profile: { emailVerified: true } })
    })
  }

  test('a password manager finds one form, with a name, an address and a new password', async () => {
    await using idp = await start()
    const page = await chromium.newPage()
    await page.goto(authorizeAddress(idp, { prompt: 'create' }))
    const found = await page.$$eval('form:has(#register-password) input:not([type=hidden])', (inputs) =>
      inputs.map((input) => `${input.id} ${input.getAttribute('autocomplete')}`),
    )
    expect(found).toEqual(expect.arrayContaining(['register-username username', 'register-email email', 'register-password new-password']))
    await page.goto(`${new URL(page.url()).origin}/reset`)
    expect(await page.getAttribute('#reset-username', 'autocomplete')).toBe('username')
  })

  test('somebody who forgot the password chooses another one, and signs in where they were', async () => {
    await using idp = await start()
    const page = await chromium.newPage(narrow)
    await page.goto(authorizeAddress(idp))
    await page.click('#reset-link')
    await page.fill('#reset-username', 'jane@acme.example')
    await page.click('#reset-submit')
    expect(await page.textContent('h1')).toBe('Check your mail')
    await page.goto(linkIn(await mailAt(idp.mail, 1)))
    expect(await page.inputValue('#username')).toBe(idp.jane.username)
    await page.fill('#new-password', 'another password')
    await page.click('#new-password-submit')
    expect(await page.textContent('.done')).toContain('Your password was changed.')
    await page.fill('#username', idp.jane.username)
    await page.fill('#password', 'another password')
    await page.click('#login-submit')
    await page.waitForSelector('text=back at the application')
  })

  test('without JavaScript, somebody changes their profile and their address, signs out another browser, and deletes the account', async () => {
    await using idp = await start()
    await openSignedIn(await chromium.newPage(), idp, '/account', idp.jane.username)
    const page = await chromium.newPage({ ...narrow, javaScriptEnabled: false })
    await openSignedIn(page, idp, '/account', idp.jane.username)
    await page.click('#edit-profile')
    await page.fill('#profile-nickName', 'Janey')
    await page.click('#profile-submit')
    expect(await page.textContent('.done')).toBe('Saved.')
    await page.click('#change-email')
    await page.fill('#email', 'jane@new.example')
    await page.click('#email-submit')
    await page.goto(linkIn(await mailAt(idp.mail, 1)))
    await page.click('#email-confirm')
    expect(await page.textContent('.done')).toBe('The e-mail address is confirmed.')
    await page.goto(idp.url('/account/sessions').href)
    await page.click('#end-others')
    expect(await page.textContent('.empty')).toBe('You are signed in with no other browser.')
    await page.goto(idp.url('/account/delete').href)
    await page.fill('#typed', idp.jane.username)
    await page.click('#confirm-submit')
    expect(await page.textContent('h1')).toBe('Your account will be deleted')
    await page.click('#notice-back')
    await signInWhereAsked(page, idp.jane.username)
    await page.click('#keep-submit')
    expect(await page.textContent('h1')).toBe('Your account')
    expect(await idp.domain.users.get(idp.jane.id)).toMatchObject({
      state: 'active',
      profile: { nickName: 'Janey', email: 'jane@new.example' },
    })
  })

  test('with JavaScript, the button that deletes waits for the name, and the file is downloaded', async () => {
    await using idp = await start()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/account/delete', idp.jane.username)
    expect(await page.isDisabled('#confirm-submit')).toBe(true)
    await page.fill('#typed', idp.jane.username)
    expect(await page.isDisabled('#confirm-submit')).toBe(false)
    await page.goto(idp.url('/account/data').href)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#export')])
    expect(download.suggestedFilename()).toBe('account.json')
  })

  for (const { name, options } of [
    ...looks,
    { name: 'a narrow phone', options: narrow },
    { name: 'a narrow phone in German', options: { ...narrow, locale: 'de-DE' } },
  ]) {
    test(`on ${name}, no page of the account has a fault that axe finds, or scrolls sideways, or weighs too much`, async () => {
      await using idp = await start()
      const context = await chromium.newContext({ ...options, bypassCSP: true })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      for (const [path, open] of pages) {
        await openSignedIn(page, idp, path, idp.jane.username)
        await open?.(page)
        expect((await page.content()).length, path).toBeLessThan(60_000)
        await expectUsable(page, path)
      }
      for (const [path, open] of signInPages) {
        const other = await chromium.newPage({ ...options, bypassCSP: true })
        await other.goto(path.startsWith('/') ? idp.url(path).href : authorizeAddress(idp))
        await open(other, idp)
        await expectUsable(other, path)
        await other.context().close()
      }
      expect(complaints.filter((text) => /Content Security Policy|refused/i.test(text))).toEqual([])
    })
  }
})

/** The pages before a sign-in. */
const signInPages: readonly (readonly [path: string, open: (page: Page, idp: Place) => Promise<void>])[] = [
  ['register', async (page) => void (await page.click('#register-link'))],
  [
    'register, refused',
    async (page) => {
      await page.click('#register-link')
      await page.fill('#register-password', 'short')
      await page.click('#register-submit')
      await page.waitForSelector('#register-problem')
    },
  ],
  [
    'confirm in another browser',
    async (page, idp) => {
      await page.click('#register-link')
      await fillIn(page, `nora-${Math.random()}@acme.example`)
      await page.click('#register-submit')
      await page.waitForSelector('#notice-back')
      // The first message of this server was a code.
      const address = linkIn(await mailAt(idp.mail, 2))
      await page.context().clearCookies()
      await page.goto(address)
    },
  ],
  ['/reset', async () => undefined],
  [
    '/reset',
    async (page) => {
      await page.fill('#reset-username', 'nobody')
      await page.click('#reset-submit')
      await page.waitForSelector('#notice-back')
    },
  ],
  ['/reset/password?link=old', async () => undefined],
  [
    'keep the account',
    async (page, idp) => {
      const leaving = await idp.domain.users.create({ kind: 'human', username: `l-${Math.random()}`, password, profile: {} }, system)
      await idp.domain.users.leave(leaving.id, new Date('2030-01-01T00:00:00Z'), system, () => undefined)
      await signInWhereAsked(page, leaving.username)
      await page.waitForSelector('#keep-submit')
    },
  ],
]
