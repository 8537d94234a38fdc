/** `realm-web` in Chromium, on the example's page and on its own: another origin than Dossier's, with what its browser lets it do. */
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import axe from 'axe-core'
import { SignJWT } from 'jose'
import type { Page } from 'playwright-core'
import type * as RealmWeb from 'realm-web'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { clientId, clientSecret, startFacebook, startOpenIdProvider } from '../support/identityProviders.ts'
import { startIdp } from '../support/idp.ts'
import { freePort } from '../support/ports.ts'
import { tempDir } from '../support/temp.ts'

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
  const facebook = await startFacebook((token) => createHmac('sha256', clientSecret).update(token).digest('hex'))
  const mail = tempDir()
  const idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1', DOSSIER_MAIL_DIRECTORY: mail } })
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const folder = filesIn(example)
  const providers = JSON.parse(folder.get('auth/providers.json')?.toString() ?? '')
  for (const [type, { issuer }] of [
    ['oauth2-google', google],
    ['oauth2-apple', google],
    ['oauth2-facebook', facebook],
  ] as const) {
    const secrets = { secret_config: { clientSecret: 'google' }, redirect_uris: [`${origin}/redirect.html`] }
    providers[type] = { name: type, type, config: { clientId, issuer }, ...secrets }
  }
  providers['custom-token'] = { type: 'custom-token', config: { signingAlgorithm: 'HS256' }, secret_config: { signingKeys: ['google'] } }
  providers['custom-function'] = { type: 'custom-function', config: { authFunctionName: 'whoIs' } }
  const functions = JSON.parse(folder.get('functions/config.json')?.toString() ?? '')
  folder.set('functions/config.json', Buffer.from(JSON.stringify([...functions, { name: 'whoIs', private: true }])))
  folder.set('functions/whoIs.js', Buffer.from('exports = ({ name }) => name'))
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
    facebook,
    origin,
    /** Makes the app ask for a confirmation by mail; `token` and `tokenId` of the last message. */
    async confirmByMail() {
      const { autoConfirm: _, ...config } = providers['local-userpass'].config
      const local = { ...providers['local-userpass'], config: { ...config, emailConfirmationUrl: `${origin}/confirm` } }
      folder.set('auth/providers.json', Buffer.from(JSON.stringify({ ...providers, 'local-userpass': local })))
      await idp.domain.apps.push('myapp-abcde', folder, system)
    },
    lastMail() {
      const [name = ''] = readdirSync(mail).toSorted().slice(-1)
      const text = readFileSync(join(mail, name), 'utf8')
        .replace(/=\r?\n/g, '')
        .replaceAll('=3D', '=')
      const parameters = new URL(/http:\/\/localhost\S+?(?=["\s])/.exec(text)?.[0].replaceAll('&amp;', '&') ?? '').searchParams
      return { token: parameters.get('token') ?? '', tokenId: parameters.get('tokenId') ?? '' }
    },
    async [Symbol.asyncDispose]() {
      server.kill()
      await idp[Symbol.asyncDispose]()
      await Promise.all([google, facebook].map((each) => each[Symbol.asyncDispose]()))
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

  test('every kind of credentials logs in', async () => {
    const page = await opened()
    const jwt = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject('jwt-1')
      .setAudience('myapp-abcde')
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode(clientSecret))
    place.google.state.person = { sub: 'g-4' }
    const given = {
      baseUrl: place.idp.issuer,
      jwt,
      google: await place.google.idToken({ sub: 'g-3' }),
      code: place.google.newCode({ redirectUri: 'postmessage' }),
      apple: await place.google.idToken({ sub: 'a-1' }),
      facebook: place.facebook.newToken({ id: 'f-1', name: 'Cosette' }),
    }
    const identities = await page.evaluate(async ({ baseUrl, ...tokens }) => {
      const { Credentials } = Realm
      const app = new Realm.App({ id: 'myapp-abcde', baseUrl })
      const told: string[] = []
      for (const credentials of [
        Credentials.jwt(tokens.jwt),
        Credentials.function({ name: 'fn-1' } as never),
        Credentials.google({ idToken: tokens.google }),
        Credentials.google({ authCode: tokens.code }),
        Credentials.apple(tokens.apple),
        Credentials.facebook(tokens.facebook),
      ]) {
        const user = await app.logIn(credentials)
        told.push(...user.identities.map(({ id, providerType }) => `${providerType} ${id}`))
      }
      return told
    }, given)
    expect(identities).toEqual([
      'custom-token jwt-1',
      'custom-function fn-1',
      'oauth2-google g-3',
      'oauth2-google g-4',
      'oauth2-apple a-1',
      'oauth2-facebook f-1',
    ])
  })

  test('an address is confirmed, and a password reset', async () => {
    await place.confirmByMail()
    const page = await opened()
    type Step = { step: string; token?: string; tokenId?: string }
    const does = (given: Step) =>
      page.evaluate(
        async ({ baseUrl, step, token = '', tokenId = '' }) => {
          const app = new Realm.App({ id: 'myapp-abcde', baseUrl })
          const [email, password] = ['mail@app.example', 'a test password']
          const { emailPasswordAuth: auth } = app
          if (step === 'register') await auth.registerUser({ email, password })
          if (step === 'resend') await auth.resendConfirmationEmail({ email })
          if (step === 'confirm') await auth.confirmUser({ token, tokenId })
          if (step === 'forgotten') await auth.sendResetPasswordEmail({ email })
          if (step === 'reset') await auth.resetPassword({ token, tokenId, password: 'another password' })
          const logIn = (secret: string) =>
            app.logIn(Realm.Credentials.emailPassword(email, secret)).then(
              () => 'in',
              (error: RealmWeb.MongoDBRealmError) => error.errorCode,
            )
          return [await logIn(password), await logIn('another password')]
        },
        { baseUrl: place.idp.issuer, ...given },
      )
    expect(await does({ step: 'register' })).toEqual(['AuthError', 'InvalidPassword'])
    await does({ step: 'resend' })
    expect(await does({ step: 'confirm', ...place.lastMail() })).toEqual(['in', 'InvalidPassword'])
    await does({ step: 'forgotten' })
    expect(await does({ step: 'reset', ...place.lastMail() })).toEqual(['InvalidPassword', 'in'])
  })

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
