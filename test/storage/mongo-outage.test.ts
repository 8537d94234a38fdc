import { refreshTokenGrant } from 'openid-client'
import { describe, expect, test } from 'vitest'
import { eventually } from '../contract/contract.ts'
import { type Idp, password, startIdp } from '../support/idp.ts'
import { findMongodb, withDatabase } from '../support/mongodb.ts'
import { findMongodbProgram } from '../support/mongodbPrograms.ts'
import { type MongodbServer, startMongodb } from '../support/mongodbServer.ts'
import { relyingParty, signIn } from '../support/relyingParty.ts'

const program = (await findMongodb()) && (await findMongodbProgram().catch(() => undefined))

/** A request that has to be answered within the five seconds that clients are promised. */
const ask = (idp: Idp, path: string, init: RequestInit = {}) =>
  fetch(idp.url(path), { redirect: 'manual', ...init, signal: AbortSignal.timeout(5000) })

const basic = ({ web, secret }: Idp) => `Basic ${Buffer.from(`${web.clientId}:${secret}`).toString('base64')}`

const form = (fields: Readonly<Record<string, string>>) => ({ method: 'POST', body: new URLSearchParams(fields) })

/** Where an application sends a browser to sign somebody in. */
const authorizeOf = ({ spa }: Idp) =>
  `/oauth/v2/authorize?${new URLSearchParams({
    client_id: spa.clientId,
    redirect_uri: spa.redirectUris[0] ?? '',
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  })}`

describe.skipIf(!program)('while its MongoDB is away', () => {
  test.each<[string, (server: MongodbServer) => unknown, (server: MongodbServer) => unknown]>([
    ['is dead', (server) => server.kill(), (server) => server.restart()],
    ['hangs', (server) => server.pause(), (server) => server.resume()],
  ])('because it %s, Dossier says so with the time to wait, and goes on by itself when it is back', async (_, goes, comesBack) => {
    await using server = await startMongodb()
    await using idp = await startIdp({ store: withDatabase(server.url, 'dossier') })
    const { tokens } = await signIn(idp, { scope: 'openid offline_access' })
    const browser = idp.browser()
    const signInPage = await browser.open(authorizeOf(idp))
    expect(signInPage.text).toContain('id="login-submit"')
    const refreshToken = tokens.refresh_token ?? ''
    const bearer = { Authorization: `Bearer ${tokens.access_token}` }
    const html = { Accept: 'text/html', Cookie: browser.cookieHeader(signInPage.url.pathname) }
    expect((await ask(idp, '/readyz')).status).toBe(200)

    await goes(server)
    const requests = {
      ready: ask(idp, '/readyz'),
      userinfo: ask(idp, '/oidc/v1/userinfo', { headers: bearer }),
      token: ask(idp, '/oauth/v2/token', {
        ...form({ grant_type: 'refresh_token', refresh_token: refreshToken }),
        headers: { Authorization: basic(idp) },
      }),
      authorize: ask(idp, authorizeOf(idp), { headers: html }),
      signInPage: ask(idp, signInPage.url.pathname, { headers: html }),
    }
    for (const [name, request] of Object.entries(requests)) {
      const answer = await request
      expect([name, answer.status, answer.headers.get('retry-after')]).toEqual([name, 503, '2'])
      const isPage = answer.headers.get('content-type')?.startsWith('text/html')
      expect(await answer.text()).toContain(isPage ? 'Try again in a moment' : 'unavailable')
    }
    const signedIn = await browser.submit(signInPage, '/login', { username: idp.jane.username, password })
    expect([signedIn.status, signedIn.headers.get('retry-after')]).toEqual([503, '2'])
    expect(signedIn.text).toContain('Try again in a moment')
    expect((await ask(idp, '/healthz')).status).toBe(200)

    await comesBack(server)
    expect(
      await eventually(
        async () => (await ask(idp, '/readyz')).status,
        (status) => status === 200,
      ),
    ).toBe(200)
    expect(await (await ask(idp, '/oidc/v1/userinfo', { headers: bearer })).json()).toMatchObject({ sub: idp.jane.id })
    expect(await refreshTokenGrant(await relyingParty(idp, idp.web), refreshToken)).toHaveProperty('access_token')
    const callback = await browser.submit(signInPage, '/login', { username: idp.jane.username, password })
    expect(callback.url.searchParams.get('code')).toBeTruthy()
  })
})
