import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { signIn } from '../../support/relyingParty.ts'

/** An application's own server: keeps what is posted to it, and serves `document` to GET. */
async function startApplication(document: unknown = {}) {
  const posted: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    if (request.method === 'POST') posted.push(body)
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(document))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return { posted, url: (host: string) => `http://${host}:${port}/`, [Symbol.asyncDispose]: async () => void server.close() }
}

async function signOut(idp: Idp, backChannelLogoutUri: string) {
  await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, backChannelLogoutUri }], events: [] })
  const { browser, tokens } = await signIn(idp)
  await browser.submit(await browser.open('/oidc/v1/end_session'), '/confirm', { logout: 'yes' })
  return decodeJwt(tokens.id_token as string)
}

for (const [allow, host] of [
  ['localhost', 'localhost'],
  ['127.0.0.0/8', '127.0.0.1'],
  ['127.0.0.0/8,::1', 'localhost'],
] as const) {
  test(`with ${allow} allowed, a sign-out is told to an application at ${host}, with the sid of its ID token`, async () => {
    await using application = await startApplication()
    await using idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: allow } })
    const { sid } = await signOut(idp, application.url(host))
    const token = new URLSearchParams(application.posted[0]).get('logout_token') as string
    const keys = createRemoteJWKSet(idp.url('/oauth/v2/keys'))
    const { payload } = await jwtVerify(token, keys, { issuer: idp.issuer, audience: idp.web.clientId, typ: 'logout+jwt' })
    expect(payload).toMatchObject({ sub: idp.jane.id, sid, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
  })
}

test('without being allowed, a private address is not called, by name or by number; the sign-out happens all the same', async () => {
  await using application = await startApplication()
  for (const [allow, host] of [
    ['', '127.0.0.1'],
    ['', 'localhost'],
    ['10.0.0.0/8,other.example', 'localhost'],
    ['10.0.0.0/8,other.example', '127.0.0.1'],
  ] as const) {
    await using idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: allow } })
    await signOut(idp, application.url(host))
  }
  expect(application.posted).toEqual([])
})

test('a client assertion works once, also when it arrives many times at once; its keys are fetched from where the application says', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  await using application = await startApplication({ keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256', use: 'sig' }] })
  await using idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
  const machine = { ...idp.web, authMethod: 'privateKeyJwt', clientSecretHash: undefined, jwksUri: application.url('127.0.0.1') } as const
  await idp.domain.catalogue.commit({ putApplications: [machine], events: [] })
  const assertion = await new SignJWT({ jti: 'the only one' })
    .setProtectedHeader({ alg: 'ES256', kid: '1' })
    .setIssuer(machine.clientId)
    .setSubject(machine.clientId)
    .setAudience(idp.issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey)
  const ask = () =>
    fetch(idp.url('/oauth/v2/token'), {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    })
  const statuses = (await Promise.all(Array.from({ length: 20 }, ask))).map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  expect(statuses.every((status) => status === 200 || status === 400 || status === 401)).toBe(true)
  expect((await ask()).status).toBeGreaterThanOrEqual(400)
})
