/** The playground as a person uses it, in Chromium: on a phone and at a desk, and without scripts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { expectUsable, looks, openSignedIn, signInWhereAsked } from '../support/pages.ts'
import { signIn } from '../support/relyingParty.ts'

let chromium: Chromium

describe.skipIf(withoutChromium)('the playground', () => {
  beforeAll(async () => {
    chromium = await startChromium()
  })
  afterAll(() => chromium[Symbol.asyncDispose]())

  for (const { name, options } of looks) {
    test(`on ${name}, a request is composed and run, and every step is shown, with signatures that are right`, async () => {
      await using idp = await startIdp()
      const page = await chromium.newPage({ ...options, bypassCSP: true })
      await openSignedIn(page, idp, '/playground', idp.jane.username)
      await expectUsable(page, 'compose')
      expect(await page.textContent('#authorize-address')).toContain('code_challenge_method=S256')
      await page.click('#run')
      expect(await page.textContent('#step-introspection')).toContain('This step is left out')
      expect(await page.locator('.tag.bad').count()).toBe(0)
      expect(await page.textContent('#token-idToken')).toContain('ContractNumber = 1234')
      expect(await page.textContent('#token-idToken')).toContain('User Info inside ID Token')
      expect(await page.textContent('#step-search')).toContain('"value": "MTIzNA=="')
      await page.waitForSelector('[data-verdict=right]')
      await expectUsable(page, 'answer')
      await page.goto(idp.url('/playground/decoder').href)
      await expectUsable(page, 'decoder')
    })
  }

  test('everything but the check of signatures works without scripts', async () => {
    await using idp = await startIdp()
    const page = await chromium.newPage({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } })
    await openSignedIn(page, idp, '/playground', idp.jane.username)
    await page.selectOption('#prompt', 'login')
    await page.selectOption('#response-mode', 'form_post')
    await page.click('#compose-submit')
    expect(await page.textContent('#authorize-address')).toContain('prompt=login')
    await page.click('#run')
    await signInWhereAsked(page, idp.jane.username)
    await page.click('#form-post-submit')
    expect(await page.textContent('#step-userinfo')).toContain('"given_name": "Jane"')
  })

  test('an answer in the fragment, and one in a signed token, are read too', async () => {
    await using idp = await startIdp()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/playground', idp.jane.username)
    for (const mode of ['fragment', 'query.jwt']) {
      await page.goto(idp.url('/playground').href)
      await page.selectOption('#response-mode', mode)
      await page.click('#compose-submit')
      await page.click('#run')
      await page.waitForSelector('#step-userinfo')
      expect(await page.textContent('#step-userinfo'), mode).toContain('"given_name": "Jane"')
    }
  })

  test('an application that has a secret is made ready, tried, and introspected; a refusal is shown as it is', async () => {
    await using idp = await startIdp()
    const { users } = idp.domain
    await users.edit(idp.jane.id, { admin: true }, { kind: 'system' })
    const page = await chromium.newPage()
    await openSignedIn(page, idp, `/playground?client_id=${idp.web.clientId}&scope=openid&pkce=on`, idp.jane.username)
    await page.click('#add-address')
    await page.click('#confirm-submit')
    await page.fill('#client-secret', idp.secret)
    await page.click('#run')
    expect(await page.textContent('#step-introspection')).toContain('"active": true')
    expect(await page.content()).not.toContain(idp.secret)
    await page.goto(idp.url(`/playground?client_id=${idp.web.clientId}&scope=openid&pkce=on`).href)
    await page.fill('#client-secret', 'wrong')
    await page.click('#run')
    expect(await page.textContent('#step-token')).toContain('invalid_client')
    expect(await page.locator('#step-userinfo').count()).toBe(0)
    await page.goto(idp.url(`/playground?client_id=${idp.web.clientId}&scope=openid&pkce=on`).href)
    await page.click('#remove-address')
    await page.click('#confirm-submit')
    await page.waitForURL('**/playground?*done=saved')
    expect((await idp.domain.catalogue.find(idp.web.clientId))?.application.redirectUris).toEqual(idp.web.redirectUris)
  })

  test('a pasted token is decoded and checked in the browser, and sent nowhere', async () => {
    await using idp = await startIdp()
    const web = { ...idp.web, idTokenUserinfoAssertion: true }
    await idp.domain.catalogue.commit({ putApplications: [web], events: [] })
    const { tokens } = await signIn({ ...idp, web } as Idp, { scope: 'openid urn:zitadel:iam:user:metadata' })
    const idToken = tokens.id_token as string
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/playground/decoder', idp.jane.username)
    const sent: string[] = []
    page.on('request', (request) => sent.push(`${request.method()} ${request.url()} ${request.postData() ?? ''}`))
    await page.fill('#pasted', idToken)
    await page.waitForSelector('#pasted-verdict[data-verdict=right]')
    expect(await page.textContent('#pasted-claims')).toContain('ContractNumber = 1234')
    const [header, payload = '', signature] = idToken.split('.')
    const changed = Buffer.from(Buffer.from(payload, 'base64url').toString().replace(idp.jane.id, '0'.repeat(24))).toString('base64url')
    await page.fill('#pasted', `${header}.${changed}.${signature}`)
    await page.waitForSelector('#pasted-verdict[data-verdict=wrong]')
    await page.fill('#pasted', 'no token')
    await page.waitForSelector('#pasted-problem:not([hidden])')
    expect(sent.filter((line) => !line.includes('/assets/'))).toEqual([`GET ${idp.url('/oauth/v2/keys').href} `])
  })

  test('an answer is shown once, and to the browser that asked', async () => {
    await using idp = await startIdp()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/playground', idp.jane.username)
    await page.click('#run')
    await page.waitForSelector('#step-userinfo')
    const address = page.url()
    await page.goto(address)
    expect(await page.textContent('#problem')).toContain('This answer was shown already')
  })

  test('whoever may not see applications is not told which there are, and changes none', async () => {
    await using idp = await startIdp()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, `/playground?client_id=${idp.web.clientId}`, idp.jane.username)
    expect(await page.content()).not.toContain(`value="${idp.spa.clientId}"`)
    expect(await page.locator('.problem').count()).toBe(0)
    const csrf = await page.inputValue('form[action="/playground/sign-out"] input[name=csrf]')
    const address = idp.url(`/playground/address?wanted=yes&client_id=${idp.web.clientId}`).href
    expect((await page.request.get(address)).status()).toBe(403)
    expect((await page.request.post(address, { form: { csrf } })).status()).toBe(403)
    expect((await idp.domain.catalogue.find(idp.web.clientId))?.application.redirectUris).toEqual(idp.web.redirectUris)
  })
})
