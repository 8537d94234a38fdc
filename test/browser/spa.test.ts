/** A single-page application on `oidc-client-ts`, from another origin, in Chromium: what its browser lets it do, and what it gets. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { type Idp, password, startIdp } from '../support/idp.ts'
import { metadataScope, signIn } from '../support/relyingParty.ts'

const library = readFileSync(new URL('../../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url))

/** The application: one page with the library, at any address; and the files of jose, for a page to import. */
const application = createServer((request, response) => {
  const jose = /^\/jose\/([\w/]+\.js)$/.exec(request.url ?? '')?.[1]
  const isScript = jose !== undefined || request.url === '/oidc-client-ts.js'
  response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
  if (jose) response.end(readFileSync(new URL(`../../node_modules/jose/dist/webapi/${jose}`, import.meta.url)))
  else response.end(isScript ? library : '<!doctype html><title>SPA</title><script src="/oidc-client-ts.js"></script>')
})

describe.skipIf(withoutChromium !== undefined)(`in Chromium${withoutChromium ? ` (${withoutChromium})` : ''}`, () => {
  let chromium: Chromium
  let origin: string
  beforeAll(async () => {
    chromium = await startChromium()
    await once(application.listen(0, 'localhost'), 'listening')
    origin = `http://localhost:${(application.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]()
    application.close()
  })

  async function start(): Promise<Idp> {
    const idp = await startIdp()
    const spa = { ...idp.spa, redirectUris: [`${origin}/callback`], postLogoutRedirectUris: [`${origin}/bye`] }
    await idp.domain.catalogue.commit({ putApplications: [spa], events: [] })
    return { ...idp, spa }
  }

  const manager = (idp: Idp) =>
    `new oidc.UserManager(${JSON.stringify({
      authority: idp.issuer,
      client_id: idp.spa.clientId,
      redirect_uri: `${origin}/callback`,
      post_logout_redirect_uri: `${origin}/bye`,
      scope: `openid profile email offline_access ${metadataScope}`,
      loadUserInfo: true,
    })})`

  test('it signs in, reads userinfo across origins, renews its tokens, and signs out', async () => {
    await using idp = await start()
    const page = await chromium.newPage()
    await page.goto(origin)
    await page.evaluate(`${manager(idp)}.signinRedirect()`).catch(() => undefined)
    await page.fill('#username', idp.jane.username)
    await page.fill('#password', password)
    await page.click('#login-submit')
    await page.waitForURL(`${origin}/callback**`)

    const user = (await page.evaluate(
      `${manager(idp)}.signinCallback().then((user) => ({ profile: user.profile, scope: user.scope, token: user.access_token }))`,
    )) as {
      profile: Record<string, unknown>
      scope: string
      token: string
    }
    expect(user.profile).toMatchObject({ sub: idp.jane.id, email: 'jane@acme.example', [metadataScope]: { ContractNumber: 'MTIzNA' } })

    const renewed = await page.evaluate(`${manager(idp)}.signinSilent().then((user) => user.access_token)`)
    expect(renewed).not.toBe(user.token)

    await page.evaluate(`${manager(idp)}.signoutRedirect()`).catch(() => undefined)
    await page.click('#logout-confirm')
    await page.waitForURL(`${origin}/bye**`)
    const answered = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${renewed}` } })
    expect(answered.status).toBe(200)
  })

  test('a page of a strange origin gets nothing out of the token and userinfo endpoints', async () => {
    await using idp = await start()
    const page = await chromium.newPage()
    await page.goto(idp.url('/').href.replace('localhost', '127.0.0.1')).catch(() => undefined)
    await page.goto(`${origin.replace('localhost', '127.0.0.1')}/`).catch(() => undefined)
    await page.goto('about:blank')
    const outcome = await page.evaluate(
      `fetch(${JSON.stringify(idp.url('/oauth/v2/token').href)}, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', client_id: ${JSON.stringify(idp.spa.clientId)}, refresh_token: 'x' }) }).then(() => 'read', () => 'refused')`,
    )
    expect(outcome).toBe('refused')
  })

  test('an ID token verifies in the browser with jose and nothing but the issuer', async () => {
    await using idp = await start()
    const page = await chromium.newPage()
    await page.goto(origin)
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
