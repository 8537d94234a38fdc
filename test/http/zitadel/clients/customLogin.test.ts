/** A sign-in page of an application's own, on the session and OIDC services, as ZITADEL's clients build one. */
import { Code, type ConnectError } from '@connectrpc/connect'
import { createOIDCServiceClient, createSessionServiceClient } from '@zitadel/client/v2'
import { ErrorReason } from '@zitadel/proto/zitadel/oidc/v2/authorization_pb.js'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { type Idp, password, startIdp } from '../../../support/idp.ts'
import { findMongodb } from '../../../support/mongodb.ts'
import * as records from '../../../support/records.ts'
import { relyingParty } from '../../../support/relyingParty.ts'
import { managerOf, transports } from './api.ts'

const mongodb = await findMongodb()
const stores = [{ name: 'SQLite', store: undefined }, ...(mongodb ? [{ name: 'MongoDB', store: () => mongodb.newDatabase() }] : [])]
const [grpc] = transports

describe.each(stores)('on $name', ({ store }) => {
  let idp: Idp
  let page: ReturnType<typeof clientsOf>
  let application: ReturnType<typeof records.application>

  const clientsOf = (token: string) => {
    const transport = grpc?.open(idp.issuer, token)
    if (!transport) throw new Error('no transport')
    return { sessions: createSessionServiceClient(transport), requests: createOIDCServiceClient(transport) }
  }

  beforeAll(async () => {
    idp = await startIdp(store ? { store: store() } : {})
    application = records.application({
      projectId: idp.project.id,
      name: 'own page',
      clientSecretHash: hashSecret('s'),
      grantTypes: ['authorizationCode', 'refreshToken', 'deviceCode'],
      loginVersion: { baseUri: 'https://login.acme.example/ui' },
    })
    await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
    page = clientsOf((await managerOf(idp, ['IAM_LOGIN_CLIENT'])).token)
  })
  afterAll(() => idp[Symbol.asyncDispose]())

  const failureOf = (call: Promise<unknown>) =>
    call.then(
      () => expect.unreachable(),
      (error: unknown) => error as ConnectError,
    )

  /** A browser that asks for the application, and the id of its request as the page gets it. */
  async function ask(parameters: Record<string, string> = {}, browser = idp.browser()) {
    const configuration = await relyingParty(idp, application, 's')
    const codeVerifier = client.randomPKCECodeVerifier()
    const address = client.buildAuthorizationUrl(configuration, {
      redirect_uri: application.redirectUris[0] as string,
      scope: 'openid profile urn:zitadel:iam:user:metadata',
      state: 'a state',
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
      ...parameters,
    })
    const { url } = await browser.open(address)
    expect(`${url.origin}${url.pathname}`).toBe('https://login.acme.example/ui/login')
    return { configuration, codeVerifier, id: url.searchParams.get('authRequest') ?? '' }
  }

  const signedIn = () =>
    page.sessions.createSession({
      checks: { user: { search: { case: 'loginName', value: idp.jane.username } }, password: { password } },
      userAgent: { ip: '192.0.2.1', fingerprintId: 'f', header: {} },
    })

  test('a person signs in there, and the application gets its tokens', async () => {
    const { configuration, codeVerifier, id } = await ask({ prompt: 'login', login_hint: 'jane' })
    const { authRequest } = await page.requests.getAuthRequest({ authRequestId: id })
    expect(authRequest).toMatchObject({
      id,
      clientId: application.clientId,
      scope: ['openid', 'profile', 'urn:zitadel:iam:user:metadata'],
      redirectUri: application.redirectUris[0],
      prompt: [2],
      loginHint: 'jane',
    })
    const { sessionId, sessionToken } = await signedIn()
    const { callbackUrl } = await page.requests.createCallback({
      authRequestId: id,
      callbackKind: { case: 'session', value: { sessionId, sessionToken } },
    })
    const tokens = await client.authorizationCodeGrant(configuration, new URL(callbackUrl), {
      pkceCodeVerifier: codeVerifier,
      expectedState: 'a state',
    })
    expect(tokens.claims()).toMatchObject({ sub: idp.jane.id, amr: ['pwd'] })
    const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)
    expect(userinfo['urn:zitadel:iam:user:metadata']).toEqual({ ContractNumber: 'MTIzNA' })
    expect(await failureOf(page.requests.getAuthRequest({ authRequestId: id }))).toMatchObject({ code: Code.NotFound })
  })

  test('a request is answered once, however many try', async () => {
    const { id } = await ask()
    const { sessionId, sessionToken } = await signedIn()
    const value = { sessionId, sessionToken }
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, () => page.requests.createCallback({ authRequestId: id, callbackKind: { case: 'session', value } })),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('somebody else may be signed in at Dossier in that browser', async () => {
    const browser = idp.browser()
    const other = await idp.domain.users.create(
      { kind: 'human', username: `other-${Date.now()}`, password, profile: {} },
      { kind: 'system' },
    )
    const start = await browser.open(
      client.buildAuthorizationUrl(await relyingParty(idp, idp.web), {
        redirect_uri: idp.web.redirectUris[0] as string,
        scope: 'openid',
        code_challenge: 'A'.repeat(43),
        code_challenge_method: 'S256',
      }),
    )
    await browser.submit(start, '/login', { username: other.username, password })
    const { id } = await ask({ prompt: 'login' }, browser)
    expect((await page.requests.getAuthRequest({ authRequestId: id })).authRequest?.hintUserId).toBe(other.id)
    const { sessionId, sessionToken } = await signedIn()
    const { callbackUrl } = await page.requests.createCallback({
      authRequestId: id,
      callbackKind: { case: 'session', value: { sessionId, sessionToken } },
    })
    expect(new URL(callbackUrl).searchParams.get('code')).toBeTruthy()
  })

  test('the page may refuse', async () => {
    const { id } = await ask()
    const value = { error: ErrorReason.ACCESS_DENIED, errorDescription: 'not today' }
    const { callbackUrl } = await page.requests.createCallback({ authRequestId: id, callbackKind: { case: 'error', value } })
    expect(Object.fromEntries(new URL(callbackUrl).searchParams)).toMatchObject({
      error: 'access_denied',
      error_description: 'not today',
      state: 'a state',
    })
  })

  test('who has proved nothing signs nobody in', async () => {
    const { id } = await ask()
    const callback = (sessionId: string, sessionToken: string) =>
      failureOf(page.requests.createCallback({ authRequestId: id, callbackKind: { case: 'session', value: { sessionId, sessionToken } } }))
    const { sessionId: id2, sessionToken: token2 } = await page.sessions.createSession({
      checks: { user: { search: { case: 'userId', value: idp.jane.id } } },
    })
    const named = { sessionId: id2, sessionToken: token2 }
    expect(await callback(named.sessionId, named.sessionToken)).toMatchObject({ code: Code.FailedPrecondition })
    const proved = await signedIn()
    expect(await callback(proved.sessionId, 'another token')).toMatchObject({ code: Code.PermissionDenied })
    expect(await callback('nothing', proved.sessionToken)).toMatchObject({ code: Code.NotFound })
    const wrong = page.sessions.setSession({ ...named, checks: { password: { password: 'wrong password' } } })
    expect(await failureOf(wrong)).toMatchObject({ code: Code.InvalidArgument, rawMessage: 'Password is invalid (COMMAND-3M0fs)' })
    const changed = await page.sessions.setSession({ ...named, checks: { password: { password } } })
    // The token of before is over.
    expect(await callback(named.sessionId, named.sessionToken)).toMatchObject({ code: Code.PermissionDenied })
    expect(
      (
        await page.requests.createCallback({
          authRequestId: id,
          callbackKind: { case: 'session', value: { sessionId: named.sessionId, sessionToken: changed.sessionToken } },
        })
      ).callbackUrl,
    ).toContain('code=')
  })

  test('sessions are found, kept apart, and ended with their user', async () => {
    const dave = await idp.domain.users.create({ kind: 'human', username: `dave-${Date.now()}`, password, profile: {} }, { kind: 'system' })
    const made = await page.sessions.createSession({
      checks: { user: { search: { case: 'userId', value: dave.id } }, password: { password } },
      metadata: { colour: Buffer.from('blue') },
      lifetime: { seconds: 60n },
    })
    const { session } = await page.sessions.getSession({ sessionId: made.sessionId, sessionToken: made.sessionToken })
    expect(session).toMatchObject({ id: made.sessionId, factors: { user: { id: dave.id }, password: {} } })
    expect(Buffer.from(session?.metadata.colour ?? []).toString()).toBe('blue')
    const query = { case: 'userIdQuery', value: { id: dave.id } } as const
    expect((await page.sessions.listSessions({ queries: [{ query }] })).sessions.map(({ id }) => id)).toEqual([made.sessionId])
    const all = await page.sessions.listSessions({ query: { limit: 1, asc: true } })
    expect([all.sessions.length, all.details?.totalResult]).toEqual([1, expect.any(BigInt)])
    await idp.domain.users.deactivate(dave.id, { kind: 'system' })
    expect(await failureOf(page.sessions.getSession({ sessionId: made.sessionId }))).toMatchObject({ code: Code.NotFound })
    const mine = await signedIn()
    await page.sessions.deleteSession({ sessionId: mine.sessionId, sessionToken: mine.sessionToken })
    expect(await failureOf(page.sessions.getSession({ sessionId: mine.sessionId }))).toMatchObject({ code: Code.NotFound })
  })

  test('a device is let in by the page too', async () => {
    const configuration = await relyingParty(idp, application, 's')
    const device = await client.initiateDeviceAuthorization(configuration, { scope: 'openid profile' })
    const { deviceAuthorizationRequest } = await page.requests.getDeviceAuthorizationRequest({ userCode: device.user_code })
    expect(deviceAuthorizationRequest).toMatchObject({ clientId: application.clientId, scope: ['openid', 'profile'], appName: 'own page' })
    const { sessionId, sessionToken } = await signedIn()
    await page.requests.authorizeOrDenyDeviceAuthorization({
      deviceAuthorizationId: deviceAuthorizationRequest?.id ?? '',
      decision: { case: 'session', value: { sessionId, sessionToken } },
    })
    const tokens = await client.pollDeviceAuthorizationGrant(configuration, { ...device, interval: 0 })
    expect(tokens.claims()?.sub).toBe(idp.jane.id)
    const second = await client.initiateDeviceAuthorization(configuration, { scope: 'openid' })
    const { deviceAuthorizationRequest: refused } = await page.requests.getDeviceAuthorizationRequest({ userCode: second.user_code })
    await page.requests.authorizeOrDenyDeviceAuthorization({
      deviceAuthorizationId: refused?.id ?? '',
      decision: { case: 'deny', value: {} },
    })
    await expect(client.pollDeviceAuthorizationGrant(configuration, { ...second, interval: 0 })).rejects.toMatchObject({
      error: 'access_denied',
    })
  })
})
