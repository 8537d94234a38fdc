import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { openDomain } from '#src/composeDomain.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'
import { tempDir } from '../../support/temp.ts'

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

/** What the audit trail says of telling applications about Jane, oldest first, once there are `count` entries. */
async function deliveries(idp: Idp, count: number) {
  const list = async () =>
    (await idp.domain.stores.audit.list({ kind: 'user', id: idp.jane.id }, { limit: 50 })).filter(({ type }) => type.startsWith('logout.'))
  await expect.poll(async () => (await list()).length, { timeout: 5000 }).toBe(count)
  return (await list()).toReversed().map(({ type, payload }) => ({ type, ...payload }))
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
    await expect.poll(() => application.posted).toHaveLength(1)
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
    expect(await deliveries(idp, 1)).toMatchObject([{ type: 'logout.failed', clientId: idp.web.clientId, attempt: 1, givenUp: false }])
    const line = idp.log.find((each) => each.includes('an application was not told of a sign-out')) ?? '{}'
    expect(JSON.parse(line)).toMatchObject({ level: 40, clientId: idp.web.clientId, reason: expect.stringContaining('special-use IP') })
    expect(line).not.toContain('eyJ')
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

test('an application that does not take a sign-out is told again; each attempt is in the audit trail, and what was not told when the server stops', async () => {
  let status = 503
  const received: string[] = []
  const server = createServer((request, response) => {
    received.push(request.method ?? '')
    response.writeHead(status).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/logout`
  const store = `sqlite:${tempDir()}`
  const idp = await startIdp({ store, environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
  const { sid } = await signOut(idp, address)
  const { clientId } = idp.web
  const failed = { type: 'logout.failed', clientId, sid, attempt: 1, givenUp: false }
  expect(await deliveries(idp, 1)).toEqual([{ ...failed, reason: expect.stringContaining('503') }])
  status = 204
  expect((await deliveries(idp, 2))[1]).toEqual({ type: 'logout.delivered', clientId, sid, attempt: 2 })
  expect(received).toEqual(['POST', 'POST'])

  status = 500
  await signOut(idp, address)
  await deliveries(idp, 3)
  await idp[Symbol.asyncDispose]()
  await using again = await startIdp({ store })
  const last = (await again.domain.stores.audit.list({ kind: 'user', id: idp.jane.id }, { limit: 50 })).find(
    ({ type }) => type === 'logout.failed',
  )
  expect(last?.payload).toMatchObject({ clientId, attempt: 2, reason: 'the server stopped', givenUp: true })
  server.close()
})

test('a sign-out reaches every application of the session, however many and slow they are, and the person does not wait', async () => {
  const told = new Set<string>()
  const held: (() => void)[] = []
  const server = createServer((request, response) => {
    told.add(request.url ?? '')
    held.push(() => void response.end())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await using idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
  const applications = Array.from({ length: 30 }, (_, index) => ({
    ...idp.web,
    id: `app-${index}`,
    clientId: `app-${index}`,
    backChannelLogoutUri: `${base}/${index}`,
  }))
  await idp.domain.catalogue.commit({ putApplications: applications, events: [] })
  const browser = idp.browser()
  for (const application of applications) await signIn(idp, { application, browser })
  const page = await browser.submit(await browser.open('/oidc/v1/end_session'), '/confirm', { logout: 'yes' })
  expect(page.text).toContain('Signed out')
  const answerAll = () => {
    for (const answer of held.splice(0)) answer()
  }
  const answering = setInterval(answerAll, 10)
  await expect.poll(() => told.size, { timeout: 5000 }).toBe(30)
  clearInterval(answering)
  answerAll()
  server.close()
})

describe.each(testStores)('on $name', ({ make }) => {
  test('deactivating a user tells every application of their sessions, once, whichever process did it and however many servers there are', async () => {
    await using application = await startApplication()
    const store = make()
    const environment = { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' }
    await using idp = await startIdp({ store, environment })
    await using _other = await startIdp({ store, environment })
    const told = { ...idp.web, backChannelLogoutUri: application.url('127.0.0.1') }
    await idp.domain.catalogue.commit({ putApplications: [told], events: [] })
    const first = await signIn(idp, { application: told })
    const second = await signIn(idp, { application: told })
    const sids = [first, second].map(({ tokens }) => decodeJwt(tokens.id_token as string).sid)

    // As the command line does it: with the domain alone, and gone at once.
    const command = await openDomain(
      readConfiguration({ DOSSIER_STORE: store, DOSSIER_SECRET: 'a secret for tests of more than 32 bytes' }),
    )
    await command.users.deactivate(idp.jane.id, { kind: 'cli', name: 'test' })
    await command.stores.close()

    const records = await deliveries(idp, 2)
    expect(records).toEqual(expect.arrayContaining(sids.map((sid) => expect.objectContaining({ type: 'logout.delivered', sid }))))
    const tokens = application.posted.map((body) => decodeJwt(new URLSearchParams(body).get('logout_token') as string))
    expect(tokens.map(({ sid }) => sid).toSorted()).toEqual(sids.toSorted())
    expect(tokens.every(({ sub }) => sub === idp.jane.id)).toBe(true)
    expect(await idp.domain.endings.take()).toEqual([])
  })
})
