/** The single-page application of the examples, on `oidc-client-ts` in Chromium: what its browser lets it do, and what it gets. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import axe from 'axe-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { type Idp, password, startIdp } from '../support/idp.ts'
import { freePort } from '../support/ports.ts'
import { metadataScope, signIn } from '../support/relyingParty.ts'

const root = resolve(import.meta.dirname, '../..')

/** An empty page of another origin, and the files of jose for it to import. */
const elsewhere = createServer((request, response) => {
  const jose = /^\/jose\/([\w/]+\.js)$/.exec(request.url ?? '')?.[1]
  response.setHeader('Content-Type', jose ? 'text/javascript' : 'text/html')
  response.end(jose ? readFileSync(resolve(root, 'node_modules/jose/dist/webapi', jose)) : '<!doctype html><title>Elsewhere</title>')
})

interface Spa extends AsyncDisposable {
  readonly idp: Idp
  readonly origin: string
}

/** Starts examples/spa as the README does, for a provider that has it registered. */
async function startSpa(): Promise<Spa> {
  const idp = await startIdp()
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const spa = { ...idp.spa, redirectUris: [`${origin}/callback.html`], postLogoutRedirectUris: [`${origin}/`] }
  await idp.domain.catalogue.commit({ putApplications: [spa], events: [] })
  const environment = { ISSUER: idp.issuer, PORT: String(port), CLIENT_ID: spa.clientId }
  const example = spawn(process.execPath, [resolve(root, 'examples/spa/main.js')], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await once(example.stderr, 'data')
  return {
    idp,
    origin,
    async [Symbol.asyncDispose]() {
      example.kill()
      await idp[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(withoutChromium !== undefined)(`in Chromium${withoutChromium ? ` (${withoutChromium})` : ''}`, () => {
  let chromium: Chromium
  let strange: string
  beforeAll(async () => {
    chromium = await startChromium()
    await once(elsewhere.listen(0, 'localhost'), 'listening')
    strange = `http://localhost:${(elsewhere.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]()
    elsewhere.close()
  })

  test('it signs in, reads userinfo across origins, renews its tokens, and signs out', async () => {
    await using spa = await startSpa()
    const { idp, origin } = spa
    const page = await chromium.newPage()
    await page.goto(origin)
    await page.click('#sign-in')
    await page.fill('#username', idp.jane.username)
    await page.fill('#password', password)
    await page.click('#login-submit')
    await page.waitForSelector('#signed-in', { state: 'visible' })
    expect(page.url()).toBe(`${origin}/`)
    expect(await page.evaluate(`${axe.source}; axe.run().then(({ violations }) => violations.map(({ id }) => id))`)).toEqual([])
    expect(await page.textContent('#email')).toBe('jane@acme.example')
    expect(await page.locator('#metadata tr').allInnerTexts()).toEqual(['ContractNumber\t1234'])

    const stored = () =>
      page.evaluate((key) => JSON.parse(sessionStorage.getItem(key) ?? 'null'), `oidc.user:${idp.issuer}:${idp.spa.clientId}`) as Promise<{
        profile: Record<string, unknown>
        access_token: string
      } | null>
    const before = await stored()
    expect(before?.profile).toMatchObject({ sub: idp.jane.id, email: 'jane@acme.example', [metadataScope]: { ContractNumber: 'MTIzNA' } })
    await page.click('#renew')
    await expect.poll(async () => (await stored())?.access_token).not.toBe(before?.access_token)
    const renewed = (await stored())?.access_token

    await page.click('#sign-out')
    await page.click('#logout-confirm')
    await page.waitForSelector('#signed-out', { state: 'visible' })
    expect(page.url()).toBe(`${origin}/`)
    expect(await stored()).toBeNull()
    const answered = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${renewed}` } })
    expect(answered.status).toBe(200)
  })

  test('it says why nobody was signed in', async () => {
    await using spa = await startSpa()
    const page = await chromium.newPage()
    await page.goto(`${spa.origin}/callback.html?error=access_denied&error_description=The+person+said+no.&state=unknown`)
    expect(await page.textContent('#problem:visible')).not.toBe('')
    expect(await page.isVisible('#sign-in')).toBe(true)
  })

  test('a page of a strange origin gets nothing out of the token and userinfo endpoints', async () => {
    await using idp = await startIdp()
    const page = await chromium.newPage()
    await page.goto(strange)
    const outcome = await page.evaluate(
      `fetch(${JSON.stringify(idp.url('/oauth/v2/token').href)}, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', client_id: ${JSON.stringify(idp.spa.clientId)}, refresh_token: 'x' }) }).then(() => 'read', () => 'refused')`,
    )
    expect(outcome).toBe('refused')
  })

  test('an ID token verifies in the browser with jose and nothing but the issuer', async () => {
    await using idp = await startIdp()
    const page = await chromium.newPage()
    await page.goto(strange)
    const { tokens } = await signIn(idp)
    const subject = await page.evaluate(`import('/jose/index.js').then(async ({ createRemoteJWKSet, jwtVerify }) => {
      const issuer = ${JSON.stringify(idp.issuer)}
      const { jwks_uri } = await (await fetch(issuer + '/.well-known/openid-configuration')).json()
      const { payload } = await jwtVerify(${JSON.stringify(tokens.id_token)}, createRemoteJWKSet(new URL(jwks_uri)), { issuer })
      return payload.sub
    })`)
    expect(subject).toBe(idp.jane.id)
  })
})
