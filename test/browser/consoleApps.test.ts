/** App Services apps in the console, as a person does it in Chromium: on a phone, at a desk, and without scripts. */
import type { BrowserContextOptions, Page } from 'playwright-core'
import { Credentials } from 'realm-web'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { dataSourceFiles, functionFiles, type Place, providersFile, startPlace } from '../http/appservices/place.ts'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { clientId, clientSecret, startOpenIdProvider } from '../support/identityProviders.ts'
import { expectUsable, looks, narrow, openSignedIn, signInWhereAsked } from '../support/pages.ts'

let chromium: Chromium

const failing = 'exports = () => { throw new Error("the mail server is away") }\n'
const files = {
  ...providersFile({ 'anon-user': {} }),
  ...dataSourceFiles,
  ...functionFiles({ note: 'exports = () => "noted"\n', fails: failing }, { note: { private: true } }),
  'triggers/came.json': {
    name: 'came',
    type: 'AUTHENTICATION',
    function_name: 'fails',
    config: { operation_type: 'CREATE' },
    disabled: true,
  },
  'triggers/nightly.json': { name: 'nightly', type: 'SCHEDULED', function_name: 'note', config: { schedule: '0 3 * * *' } },
  'triggers/documents.json': { name: 'documents', type: 'DATABASE', function_name: 'note', config: {} },
  'values/limit.json': { name: 'limit', value: { most: 10 } },
  'values/key.json': { name: 'key', value: 'apiKey', from_secret: true },
  'sync/config.json': {},
}

async function start(environment: Readonly<Record<string, string>> = {}) {
  const place = await startPlace(files, { environment })
  await place.domain.users.edit(place.jane.id, { admin: true }, { kind: 'system' })
  return Object.assign(place, { base: `/console/apps/${place.app.id}`, view: () => place.domain.apps.get(place.app.id) })
}

/** A function was given up for somebody. */
async function giveUp({ domain, app, jane }: Place): Promise<void> {
  const at = new Date()
  const event = { operationType: 'CREATE', providers: ['anon-user'], userId: jane.id, at: at.toISOString() } as const
  const task = { id: `0 ${app.id} came`, app: app.id, trigger: 'came', event, failures: 6, notBefore: 0 }
  await domain.triggerTasks.bury(task, 'the mail server is away', at)
  domain.triggerRuns.note(app.id, 'came', { at: at.toISOString(), milliseconds: 12, attempt: 6, reason: 'the mail server is away' })
  await domain.triggerRuns.write()
}

const field = (name: string) => `[name="${name}"]`

async function open(options: BrowserContextOptions, place: Place & { base: string }, path = ''): Promise<Page> {
  const page = await chromium.newPage(options)
  await openSignedIn(page, place, place.base + path, place.jane.username)
  return page
}

describe.skipIf(withoutChromium)('App Services apps', () => {
  beforeAll(async () => {
    chromium = await startChromium()
  })
  afterAll(() => chromium[Symbol.asyncDispose]())

  const allLooks = [...looks, { name: 'the narrowest phone, in German', options: { ...narrow, locale: 'de' } }]
  for (const { name, options } of allLooks) {
    test(`on ${name}, every page is usable`, async () => {
      await using place = await start()
      await giveUp(place)
      const page = await open({ ...options, bypassCSP: true }, place)
      const paths = [
        ...['', '/providers', '/providers/anon-user', '/providers/local-userpass', '/providers/custom-token', '/providers/custom-function'],
        ...['/providers/oauth2-google', '/providers/oauth2-keycloak', '/custom-user-data', '/functions', '/functions/new'],
        ...['/function?name=note', '/triggers', '/triggers/new?type=AUTHENTICATION', '/triggers/new?type=SCHEDULED', '/trigger?name=came'],
        ...['/trigger?name=nightly', '/trigger?name=documents', '/values', '/values/new', '/value?name=limit', '/secret', '/remove'],
      ].map((path) => place.base + path)
      for (const path of ['/console/apps', '/console/apps/new', ...paths]) {
        const reply = await page.goto(place.url(path).href)
        expect(reply?.status(), path).toBe(200)
        await expectUsable(page, path)
      }
      await page.goto(place.url(`${place.base}/function?name=note`).href)
      await page.fill('#source', 'exports = (')
      await page.click('#function-submit')
      await page.waitForSelector('#source-fault')
      await expectUsable(page, 'a fault')
    })
  }

  test('an empty app is made, and custom user data is switched on with a creation function, which makes the document of who comes', async () => {
    await using place = await start()
    const page = await open({}, place)
    await page.goto(place.url('/console/apps').href)
    await page.click('#new-app')
    await page.fill('#name', 'Shop')
    await page.click('#app-submit')
    const id = (await page.textContent('#client-app-id')) ?? ''
    expect(id).toMatch(/^shop-[a-z]{5}$/)

    await page.click('nav a[href$="/custom-user-data"]')
    await page.check('#enabled')
    await page.fill('#database_name', 'shop')
    await page.fill('#collection_name', 'people')
    await page.click('#custom-submit')
    expect(await page.textContent('#user_id_field-fault')).toContain('is missing')
    expect(await page.inputValue('#database_name')).toBe('shop')
    await page.fill('#user_id_field', 'owner')
    await page.click('#custom-submit')
    await page.waitForSelector('.done')

    const source = await page.inputValue('#source')
    expect(source).toContain('.db("shop").collection("people")')
    await page.fill('#source', source.replace('createdAt: new Date()', 'colour: "green"').replace('})', ''))
    await page.click('#creation-submit')
    expect(await page.textContent('#source-fault')).toBe('Line 4, column 1: missing ) after argument list')
    expect((await place.domain.apps.findByClientAppId(id))?.configuration.functions.size).toBe(0)
    await page.fill('#source', source.replace('createdAt: new Date()', 'colour: "green"'))
    await page.click('#creation-submit')
    await page.waitForSelector('.done')

    await page.click('nav a[href$="/providers"]')
    await page.click('a[href$="/providers/anon-user"]')
    await page.click('#provider-submit')
    await page.waitForSelector('.done')
    const someone = await place.client(id).logIn(Credentials.anonymous())
    expect(someone.customData).toMatchObject({ owner: someone.id, colour: 'green' })
  })

  for (const { name, options } of [
    { name: 'with scripts', options: {} },
    { name: 'without scripts', options: { javaScriptEnabled: false } },
  ]) {
    test(`${name}, Google is added with its metadata fields and secret, and is a button on the sign-in page`, async () => {
      await using google = await startOpenIdProvider()
      await using place = await start({ DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' })
      const page = await open(options, place, '/providers')
      await page.click('a[href$="/providers/oauth2-google"]')
      expect(await page.textContent('#callback')).toBe(`${place.issuer}/api/client/v2.0/auth/callback`)
      await page.fill(field('config.clientId'), clientId)
      await page.fill(field('secret_config.clientSecret'), 'googleSecret')
      await page.fill(field('config.issuer'), google.issuer)
      await page.fill(field('metadata_fields.0.name'), 'email')
      await page.check(field('metadata_fields.0.required'))
      await page.click('#add-row')
      await page.fill(field('metadata_fields.1.name'), 'to be removed')
      await page.click('#add-row')
      await page.fill(field('metadata_fields.2.name'), 'picture')
      await page.click('[value="remove-row-1"]')
      expect(await page.inputValue(field('config.clientId'))).toBe(clientId)
      expect((await place.view()).configuration.providers.has('oauth2-google')).toBe(false)
      // Enter saves, and presses none of the buttons of rows.
      await page.press(field('config.clientId'), 'Enter')
      await page.waitForURL('**/oauth2-google?done=saved')
      expect((await place.view()).configuration.providers.get('oauth2-google')?.metadata_fields).toEqual([
        { required: true, name: 'email' },
        { required: false, name: 'picture' },
      ])

      expect(await page.textContent('main')).toContain('googleSecret has no value yet')
      await page.click('a[href$="/secret?name=googleSecret"]')
      await signInWhereAsked(page, place.jane.username)
      await page.fill('#value', clientSecret)
      await page.click('#secret-submit')
      await page.waitForSelector('.done')
      expect(await page.content()).not.toContain(clientSecret)

      google.state.person = { sub: 'g1', email: 'new@app.example', email_verified: true, picture: 'https://app.example/p.png' }
      const visitor = await chromium.newPage()
      await visitor.goto(place.url('/account').href)
      expect(await visitor.textContent('#provider-google')).toContain('Google')
      await visitor.click('#provider-google')
      await visitor.waitForURL('**/account')
      const [user] = (await place.domain.users.listByApp(place.app.id, { limit: 10 })).items
      expect(user?.identities?.[0]?.data).toEqual({ email: 'new@app.example', picture: 'https://app.example/p.png' })
    })
  }

  test('another OpenID Connect provider is added by its issuer, and says at its field what is missing', async () => {
    await using place = await start()
    const page = await open({}, place, '/providers')
    await page.fill('#name', 'Key Cloak')
    await page.click('#provider-new')
    expect(await page.textContent('#name-fault')).toContain('small letters')
    await page.fill('#name', 'keycloak')
    await page.click('#provider-new')
    await page.fill(field('config.clientId'), 'dossier')
    await page.click('#provider-submit')
    expect(await page.textContent('[id="config.issuer-fault"]')).toContain('is missing')
    await page.fill(field('config.issuer'), 'https://kc.example/realms/acme')
    await page.click('#provider-submit')
    await page.waitForSelector('.done')
    expect(await page.textContent('main')).toContain('provider-keycloak')
  })

  test('a function with a syntax error is not kept, and its place is told; once it is right it is what runs', async () => {
    await using place = await start()
    const page = await open({}, place, '/functions')
    await page.click('a[href$="/function?name=fails"]')
    await page.fill('#source', 'exports = () => {\n  retrn "fine"\n}')
    await page.click('#function-submit')
    expect(await page.textContent('#source-fault')).toBe('Line 2, column 9: Unexpected string')
    expect(await page.getAttribute('#source', 'aria-describedby')).toContain('source-fault')
    expect(await page.inputValue('#source')).toContain('retrn')
    expect((await place.view()).configuration.functions.get('fails')?.source).toBe(failing)
    await page.fill('#source', 'exports = () => {\n  return "fine"\n}')
    await page.click('#function-submit')
    await page.waitForSelector('.done')
    const someone = await place.client().logIn(Credentials.anonymous())
    expect(await someone.functions.fails?.()).toBe('fine')
  })

  test("a trigger's dead letter is seen with its reason, and run again once the function is right", async () => {
    await using place = await start()
    await giveUp(place)
    const page = await open({}, place, '/triggers')
    await page.click('a[href$="/trigger?name=came"]')
    expect(await page.textContent('#dead-letters')).toContain('the mail server is away')
    await page.check('#enabled')
    await page.selectOption('#function_name', 'note')
    await page.click('#trigger-submit')
    await page.waitForSelector('.done')
    await page.click('#trigger-retry')
    await page.waitForSelector('text=It will be run again in a moment')
    expect(await page.locator('#dead-letters').count()).toBe(0)
    await vi.waitFor(
      async () => {
        await page.goto(place.url(`${place.base}/trigger?name=came`).href)
        expect(await page.textContent('main')).toContain('went well')
      },
      { timeout: 15_000, interval: 250 },
    )
  })

  test('values, triggers and the app itself are made and removed; removing the app wants its name', async () => {
    await using place = await start()
    const page = await open({}, place, '/values')
    await page.click('#new-value')
    await page.fill('#name', 'colours')
    await page.selectOption('#kind', 'json')
    await page.fill('#value', '["green",')
    await page.click('#value-submit')
    expect(await page.textContent('#value-fault')).toBe('This is not JSON.')
    await page.fill('#value', '["green"]')
    await page.click('#value-submit')
    await page.waitForSelector('.done')
    expect((await place.view()).configuration.values.get('colours')?.value).toEqual(['green'])

    await page.click('nav a[href$="/triggers"]')
    await page.click('#new-scheduled')
    await page.fill('#name', 'hourly')
    await page.selectOption('#function_name', 'note')
    await page.fill(field('config.schedule'), 'at noon')
    await page.click('#trigger-submit')
    expect(await page.textContent('[id="config.schedule-fault"]')).toContain('must be a cron expression')
    await page.fill(field('config.schedule'), '0 * * * *')
    await page.click('#trigger-submit')
    await page.waitForSelector('.done')
    await page.click('#trigger-remove')
    await page.click('#confirm-submit')
    await page.waitForURL('**/triggers?done=removed')
    expect((await place.view()).configuration.triggers.has('hourly')).toBe(false)

    await place.client().logIn(Credentials.anonymous())
    await page.goto(place.url(place.base).href)
    await page.click('#app-remove')
    expect(await page.textContent('main')).toContain('One person logs in through it')
    expect(await page.isDisabled('#confirm-submit')).toBe(true)
    await page.fill('#typed', place.clientAppId)
    await page.click('#confirm-submit')
    await page.waitForURL('**/console/apps?done=removed')
    expect(await page.textContent('.empty')).toContain('dossier app-services push')
  })
})
