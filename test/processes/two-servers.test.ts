/** Two server processes on one store, as behind a load balancer: what one does holds at the other. */
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { openDomain } from '#src/compose.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { Connection } from '../../bench/connection.ts'
import { Browser } from '../support/browser.ts'
import { type Idp, seed } from '../support/idp.ts'
import { freePort } from '../support/ports.ts'
import { authorize, metadataScope, relyingParty, signIn, zitadelAudience } from '../support/relyingParty.ts'
import { startServer } from '../support/serverProcess.ts'
import { testStores } from '../support/stores.ts'

const system = { kind: 'system' } as const

/** Two processes behind one issuer; the test itself is a third beside the store, as the command line is. */
async function startTwo(store: string) {
  const [port, otherPort] = [await freePort(), await freePort()]
  const issuer = `http://localhost:${port}`
  const environment = { DOSSIER_ISSUER: issuer, DOSSIER_STORE: store, DOSSIER_SECRET: 'a secret for tests of more than 32 bytes' }
  const domain = await openDomain(readConfiguration(environment))
  const seeded = await seed(domain)
  const servers = await Promise.all([startServer(environment), startServer({ ...environment, DOSSIER_PORT: String(otherPort) })])
  const ask = async (which: number, ...request: Parameters<Connection['request']>) => {
    const connection = await Connection.open([port, otherPort][which % 2] as number, `localhost:${port}`)
    try {
      return await connection.request(...request)
    } finally {
      connection.close()
    }
  }
  return {
    ...seeded,
    issuer,
    domain,
    url: (path: string) => new URL(path, issuer),
    browser: () => new Browser(issuer),
    ask,
    userinfo: (which: number, token: string) => ask(which, 'GET', '/oidc/v1/userinfo', { authorization: `Bearer ${token}` }),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
      await domain.stores.close()
    },
  }
}

type Two = Awaited<ReturnType<typeof startTwo>>
const asIdp = (two: Two) => two as unknown as Idp

describe.each(testStores)('on $name', ({ make }) => {
  test('a code and a refresh token presented 50 times at once, at both, are exchanged once', async () => {
    await using two = await startTwo(await make())
    const configuration = await relyingParty(asIdp(two), two.web)
    const { callback, codeVerifier } = await authorize(asIdp(two), configuration, { scope: 'openid offline_access' })
    const code = {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') as string,
      redirect_uri: two.web.redirectUris[0] as string,
    }
    expect(await successes(two, { ...code, code_verifier: codeVerifier })).toBe(1)

    const { tokens } = await signIn(asIdp(two), { scope: 'openid offline_access' })
    expect(await successes(two, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token as string })).toBe(1)
  })

  test('a token of one is known, revoked and cut off at the other at once', async () => {
    await using two = await startTwo(await make())
    const { configuration, tokens } = await signIn(asIdp(two), { scope: `openid ${metadataScope} ${zitadelAudience}` })
    for (const which of [0, 1]) expect((await two.userinfo(which, tokens.access_token)).status).toBe(200)
    await client.tokenRevocation(configuration, tokens.access_token)
    for (const which of [0, 1]) expect((await two.userinfo(which, tokens.access_token)).status).toBe(401)

    const again = await signIn(asIdp(two))
    await two.domain.users.deactivate(two.jane.id, system)
    for (const which of [0, 1]) expect((await two.userinfo(which, again.tokens.access_token)).status).toBe(401)
  })

  test('a changed application and a new key are seen by running servers', async () => {
    await using two = await startTwo(await make())
    await signIn(asIdp(two), { scope: 'openid email' })
    await two.domain.catalogue.commit({
      putApplications: [{ ...two.web, idTokenUserinfoAssertion: true, idTokenSignedResponseAlg: 'EdDSA' }],
      events: [],
    })
    const [key] = await two.domain.keys.ensure(['EdDSA'], system).then(() => two.domain.keys.published())
    expect(key).toBeTruthy()
    await expect
      .poll(async () => decodeJwt((await signIn(asIdp(two), { scope: 'openid email' })).tokens.id_token as string))
      .toHaveProperty('email')
    for (const which of [0, 1]) {
      await expect.poll(async () => (await two.ask(which, 'GET', '/oauth/v2/keys')).body).toContain('"EdDSA"')
    }
  })
})

/** How many of 50 token requests at once, at both servers in turn, succeed. */
async function successes(two: Two, parameters: Record<string, string>): Promise<number> {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from(`${two.web.clientId}:${two.secret}`).toString('base64')}`,
  }
  const body = new URLSearchParams(parameters).toString()
  const replies = await Promise.all(Array.from({ length: 50 }, (_, which) => two.ask(which, 'POST', '/oauth/v2/token', headers, body)))
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 400]))
  return replies.filter(({ status }) => status === 200).length
}
