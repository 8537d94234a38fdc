/** `realm-web` in Chromium, on the example's page and on its own: another origin than Dossier's, with what its browser lets it do. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import type * as RealmWeb from 'realm-web'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { clientId, clientSecret, startOpenIdProvider } from '../support/identityProviders.ts'
import { startIdp } from '../support/idp.ts'
import { freePort } from '../support/ports.ts'

const example = resolve(import.meta.dirname, '../../examples/app-services')
const system = { kind: 'system' } as const
declare const Realm: typeof RealmWeb

const filesIn = (directory: string) =>
  new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(directory.length + 1), readFileSync(path)]),
  )

/** The example's app and page, as its readers start them; with Google as a further way in. */
async function startExample() {
  const google = await startOpenIdProvider()
  const idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const folder = filesIn(example)
  const providers = JSON.parse(folder.get('auth/providers.json')?.toString() ?? '')
  providers['oauth2-google'] = {
    name: 'oauth2-google',
    type: 'oauth2-google',
    config: { clientId, issuer: google.issuer },
    secret_config: { clientSecret: 'google' },
    redirect_uris: [`${origin}/redirect.html`],
  }
  folder.set('auth/providers.json', Buffer.from(JSON.stringify(providers)))
  const { app } = await idp.domain.apps.push('myapp-abcde', folder, system)
  await idp.domain.apps.setSecret(app.id, 'google', clientSecret, system)
  const server = spawn(process.execPath, [join(example, 'serve_page.mjs')], {
    env: { ...process.env, DOSSIER_ISSUER: idp.issuer, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await once(server.stderr, 'data')
  return {
    idp,
    google,
    origin,
    async [Symbol.asyncDispose]() {
      server.kill()
      await idp[Symbol.asyncDispose]()
      await google[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(withoutChromium !== undefined)(`in Chromium${withoutChromium ? ` (${withoutChromium})` : ''}`, () => {
  let chromium: Chromium
  let place: Awaited<ReturnType<typeof startExample>>
  beforeAll(async () => {
    ;[chromium, place] = await Promise.all([startChromium(), startExample()])
  })
  afterAll(() => Promise.all([chromium, place].map((each) => each[Symbol.asyncDispose]())))

  const opened = async (): Promise<Page> => {
    const page = await chromium.newPage()
    await page.goto(place.origin)
    await page.waitForSelector('section:not([hidden])')
    return page
  }

  test('the page of the example registers somebody, shows their data, changes it and logs out', async () => {
    const page = await opened()
    await page.fill('#email', 'browser@app.example')
    await page.fill('#password', 'a test password')
    await page.click('#log-in [type=submit]')
    await page.waitForSelector('#problem:not([hidden])')
    expect(await page.textContent('#problem')).toContain('invalid username/password')
    await page.click('#register')
    await page.waitForSelector('#signed-in:not([hidden])')
    expect([await page.textContent('#name'), await page.inputValue('#color')]).toEqual(['browser@app.example', 'blue'])
    await page.selectOption('#color', 'green')
    await page.waitForSelector('#data :text("green")')
    await page.addScriptTag({ path: resolve('node_modules/axe-core/axe.min.js') }).catch(() => page.evaluate(axe.source))
    const violations = await page.evaluate(() =>
      (globalThis as unknown as { axe: typeof axe }).axe.run().then((found) => found.violations.map(({ id }) => id)),
    )
    expect(violations).toEqual([])
    await page.reload()
    await page.waitForSelector('#signed-in:not([hidden])')
    expect(await page.inputValue('#color')).toBe('green')
    await page.click('#log-out')
    await page.waitForSelector('#signed-out:not([hidden])')
  })

  test('everything that an SDK does is let through from another origin', async () => {
    const page = await opened()
    const result = await page.evaluate(
      async ([baseUrl]) => {
        const app = new Realm.App({ id: 'myapp-abcde', baseUrl: baseUrl as string })
        const { Credentials } = Realm
        const anonymous = await app.logIn(Credentials.anonymous())
        await app.emailPasswordAuth.registerUser({ email: 'sdk@app.example', password: 'a test password' })
        const user = await anonymous.linkCredentials(Credentials.emailPassword('sdk@app.example', 'a test password')).then(() => anonymous)
        const before = { ...user.customData }
        await user.functions.setFavoriteColor?.('red')
        await user.refreshCustomData()
        const now = user.customData.favorite_color
        const identities = user.identities.map(({ providerType }) => providerType)
        const users = user.mongoClient('mongodb-atlas').db('myapp').collection('users')
        const stream = users.watch()
        const changed = stream.next()
        await new Promise((done) => setTimeout(done, 700))
        await user.functions.setFavoriteColor?.('green')
        const { value } = await changed
        await stream.return(undefined)
        const key = await user.apiKeys.create('browser')
        const keys = await user.apiKeys.fetchAll()
        const byKey = await app.logIn(Credentials.apiKey(key.key))
        const other = await app.logIn(Credentials.anonymous(false))
        app.switchUser(user)
        const current = app.currentUser?.id
        const held = user.accessToken
        const expired = held?.split('.').map((part, index) => (index === 1 ? btoa(JSON.stringify({ exp: 1, iat: 0, sub: user.id })) : part))
        ;(user as unknown as { _accessToken: string })._accessToken = expired?.join('.') ?? ''
        const found = await users.findOne()
        await app.deleteUser(other)
        await user.logOut()
        return {
          id: user.id,
          identities,
          before: before.favorite_color,
          now,
          told: (value as { fullDocument?: { favorite_color?: string } } | undefined)?.fullDocument?.favorite_color,
          keys: keys.length,
          byKey: byKey.id,
          current,
          isRefreshed: user.accessToken !== expired?.join('.'),
          found: (found as { user_account_id?: string } | null)?.user_account_id,
          isLoggedIn: user.isLoggedIn,
        }
      },
      [place.idp.issuer],
    )
    expect(result).toMatchObject({
      identities: ['anon-user', 'local-userpass'],
      before: 'blue',
      now: 'red',
      told: 'green',
      keys: 1,
      byKey: result.id,
      current: result.id,
      isRefreshed: true,
      found: result.id,
      isLoggedIn: false,
    })
  }, 30_000)

  test('a window opens for Google, and tells the page who logged in', async () => {
    const page = await opened()
    const somebody = (sub: string) => {
      place.google.state.person = { sub, name: 'Jean', email: `${sub}@app.example`, email_verified: true }
    }
    const redirect = `${place.origin}/redirect.html`
    somebody('g-1')
    const first = await page.evaluate(
      async ([baseUrl, redirectUrl]) => {
        const app = new Realm.App({ id: 'myapp-abcde', baseUrl: baseUrl as string })
        const user = await app.logIn(Realm.Credentials.google({ redirectUrl: redirectUrl as string }))
        return user.identities.map(({ id, providerType }) => `${providerType} ${id}`)
      },
      [place.idp.issuer, redirect],
    )
    expect(first).toEqual(['oauth2-google g-1'])
    const link = () =>
      page.evaluate(
        async ([baseUrl, redirectUrl]) => {
          const app = new Realm.App({ id: 'myapp-abcde', baseUrl: baseUrl as string })
          const user = await app.logIn(Realm.Credentials.anonymous(false))
          const linking = user.linkCredentials(Realm.Credentials.google({ redirectUrl: redirectUrl as string }))
          return linking.then(
            () => user.identities.map(({ providerType }) => providerType),
            (error: Error) => error.message,
          )
        },
        [place.idp.issuer, redirect],
      )
    // An identity that somebody has is not linked; all that the SDK says is that there are no tokens.
    expect(await link()).toContain('Failed to decode')
    somebody('g-2')
    expect(await link()).toEqual(['anon-user', 'oauth2-google'])
  }, 30_000)
})
