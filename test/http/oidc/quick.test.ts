import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, metadataScope, relyingParty, zitadelAudience } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const everything = `openid profile email phone address offline_access ${metadataScope} ${zitadelAudience} urn:zitadel:iam:user:resourceowner urn:zitadel:iam:org:projects:roles`

/** A request with an Origin, which must be one of the application's, is the engine's; one without is answered beside it. */
type Way = 'engine' | 'quick'
const originOf = (application: Application) => new URL(application.redirectUris[0] as string).origin

interface Tokens {
  readonly access_token: string
  readonly id_token: string
  readonly refresh_token: string
}

function post(idp: Idp, way: Way, path: string, application: Application, fields: Record<string, string>): Promise<Response> {
  const { clientId, authMethod } = application
  const headers = new Headers(way === 'engine' ? { origin: originOf(application) } : {})
  const body = new URLSearchParams(fields)
  if (authMethod === 'basic') headers.set('authorization', `Basic ${Buffer.from(`${clientId}:${idp.secret}`).toString('base64')}`)
  else body.set('client_id', clientId)
  if (authMethod === 'post') body.set('client_secret', idp.secret)
  return fetch(idp.url(path), { method: 'POST', headers, body })
}

async function exchange(idp: Idp, way: Way, application: Application, scope: string): Promise<Response> {
  const configuration = await relyingParty(idp, application)
  const { callback, codeVerifier } = await authorize(idp, configuration, { application, scope })
  const code = callback.searchParams.get('code') as string
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: application.redirectUris[0] as string,
    code_verifier: codeVerifier,
  }
  return post(idp, way, '/oauth/v2/token', application, fields)
}

/** What must be the same whoever answers: everything but ids, and times other than their distance. */
const comparable = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, member) => (varying.has(key) ? typeof member : member))
const varying = new Set(
  'iat exp nbf auth_time authTime iiat jti sid sessionUid grantId nonce at_hash access_token refresh_token id_token'.split(' '),
)

async function stored(idp: Idp, { access_token, refresh_token }: Partial<Tokens>) {
  const { artifacts } = idp.domain.stores
  const id = (token = '') => (token.includes('.') ? `jwt-${decodeJwt(token).jti}` : token)
  const models = ['AccessToken', 'ClientCredentials', 'RefreshToken'] as const
  const found = await Promise.all(models.map((model) => artifacts.find(model, id(model === 'RefreshToken' ? refresh_token : access_token))))
  return found.map((artifact) => {
    const { iat, exp } = (artifact?.payload ?? {}) as { iat: number; exp: number }
    return artifact && { payload: comparable(artifact.payload), keys: Object.keys(artifact.payload).sort(), lifetime: exp - iat }
  })
}

const said = (jwt: string) => {
  const claims = decodeJwt(jwt)
  const { exp = 0, iat = 0, auth_time: at } = claims
  return {
    header: decodeProtectedHeader(jwt),
    claims: comparable(claims),
    lifetime: exp - iat,
    sinceSignIn: typeof at === 'number' && iat >= at,
  }
}

/** Everything that a client, or whoever looks into the store, can tell from a token response. */
async function outcome(idp: Idp, reply: Response) {
  const body = (await reply.json()) as Tokens
  const { status, headers } = reply
  return {
    status,
    type: headers.get('content-type'),
    cache: headers.get('cache-control'),
    body: comparable(body),
    order: Object.keys(body),
    idToken: body.id_token && said(body.id_token),
    accessToken: body.access_token?.includes('.') && said(body.access_token),
    stored: await stored(idp, body),
  }
}

const applications: readonly [string, Partial<Application>][] = [
  ['opaque tokens', {}],
  ['metadata in the ID token', { idTokenUserinfoAssertion: true }],
  ['roles in the ID token', { idTokenRoleAssertion: true, audience: 'client' }],
  ['JWT access tokens', { accessTokenType: 'jwt', accessTokenRoleAssertion: true, idTokenSignedResponseAlg: 'ES256' }],
  ['a clock that is off', { clockSkewSeconds: 5, accessTokenType: 'jwt', idTokenSignedResponseAlg: 'ES256' }],
  ['its secret in the form', { authMethod: 'post', idTokenSignedResponseAlg: 'ES256' }],
  ['no secret', { authMethod: 'none' }],
]

describe.each(testStores)('on $name', ({ make }) => {
  test.each(applications)('an application with %s gets and stores the same beside the engine as from it', async (_, changes) => {
    await using idp = await startIdp({ store: make() })
    const application = { ...idp.web, grantTypes: [...idp.web.grantTypes], ...changes }
    await idp.domain.catalogue.commit({ putApplications: [application], events: [] })

    for (const scope of [everything, 'openid email']) {
      const tokens = {} as Record<Way, Tokens>
      for (const way of ['engine', 'quick'] as const) {
        tokens[way] = (await (await exchange(idp, way, application, scope)).json()) as Tokens
      }
      const codes = [await exchange(idp, 'engine', application, scope), await exchange(idp, 'quick', application, scope)]
      expect(codes.map((reply) => reply.headers.get('access-control-allow-origin'))).toEqual([originOf(application), null])
      const [byEngine, beside] = await Promise.all(codes.map((reply) => outcome(idp, reply)))
      expect(beside).toEqual(byEngine)
      expect(beside?.status).toBe(200)
      if (!tokens.engine.refresh_token) continue
      const refresh = (way: Way) =>
        post(idp, way, '/oauth/v2/token', application, { grant_type: 'refresh_token', refresh_token: tokens[way].refresh_token })
      const refreshed = await Promise.all([refresh('engine'), refresh('quick')])
      const [rotatedByEngine, rotatedBeside] = await Promise.all(refreshed.map((reply) => outcome(idp, reply)))
      expect(rotatedBeside).toEqual(rotatedByEngine)
      expect(rotatedBeside?.status).toBe(200)
    }
  })

  test('an application gets the same token of its own beside the engine as from it', async () => {
    await using idp = await startIdp({ store: make() })
    for (const accessTokenType of ['bearer', 'jwt'] as const) {
      await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, accessTokenType }], events: [] })
      for (const scope of ['', 'openid', `openid ${zitadelAudience}`]) {
        const ask = (way: Way) => post(idp, way, '/oauth/v2/token', idp.web, { grant_type: 'client_credentials', scope })
        const replies = await Promise.all([ask('engine'), ask('quick')])
        const [byEngine, beside] = await Promise.all(replies.map((reply) => outcome(idp, reply)))
        expect(beside).toEqual(byEngine)
        expect(beside?.status).toBe(200)
      }
    }
  })

  test('a token is introspected beside the engine as by it', async () => {
    await using idp = await startIdp({ store: make() })
    const { access_token: token } = (await (await exchange(idp, 'quick', idp.web, everything)).json()) as Tokens
    const ask = async (way: Way) => {
      const reply = await post(idp, way, '/oauth/v2/introspect', idp.web, { token })
      return {
        status: reply.status,
        type: reply.headers.get('content-type'),
        cache: reply.headers.get('cache-control'),
        body: await reply.json(),
      }
    }
    const [byEngine, beside] = await Promise.all([ask('engine'), ask('quick')])
    expect(beside).toEqual(byEngine)
    expect(beside?.body).toMatchObject({ active: true, sub: idp.jane.id, [metadataScope]: { ContractNumber: 'MTIzNA' } })
  })

  test('what is wrong is refused beside the engine in its words', async () => {
    await using idp = await startIdp({ store: make() })
    const { refresh_token } = (await (await exchange(idp, 'quick', idp.web, 'openid offline_access')).json()) as Tokens
    const wrong: readonly [Application, Record<string, string>][] = [
      [idp.web, { grant_type: 'authorization_code', code: 'unknown', redirect_uri: 'http://localhost:3000/callback' }],
      [idp.web, { grant_type: 'refresh_token', refresh_token: 'unknown' }],
      [idp.web, { grant_type: 'refresh_token' }],
      [idp.spa, { grant_type: 'refresh_token', refresh_token }],
      [idp.web, { grant_type: 'refresh_token', refresh_token, scope: 'openid email' }],
      [idp.spa, { grant_type: 'client_credentials' }],
      [idp.web, { grant_type: '__proto__' }],
      [{ ...idp.web, clientId: 'nobody' }, { grant_type: 'client_credentials' }],
      [{ ...idp.web, authMethod: 'none' }, { grant_type: 'client_credentials' }],
      [{ ...idp.spa, authMethod: 'post' }, { grant_type: 'client_credentials' }],
    ]
    for (const [application, fields] of wrong) {
      const answers = await Promise.all(
        (['engine', 'quick'] as const).map(async (way) => {
          const reply = await post(idp, way, '/oauth/v2/token', application, fields)
          return [reply.status, await reply.json()]
        }),
      )
      expect(answers[1]).toEqual(answers[0])
      expect(answers[1]?.[0]).toBeGreaterThanOrEqual(400)
    }
  })

  test('a code needs the verifier and the redirect URI that it was asked for with', async () => {
    await using idp = await startIdp({ store: make() })
    const configuration = await relyingParty(idp, idp.web)
    for (const changes of [{ code_verifier: 'x'.repeat(43) }, { code_verifier: '' }, { redirect_uri: 'http://localhost:3000/other' }]) {
      const { callback, codeVerifier } = await authorize(idp, configuration, { scope: 'openid' })
      const right = {
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') as string,
        redirect_uri: 'http://localhost:3000/callback',
        code_verifier: codeVerifier,
      }
      const refused = await post(idp, 'quick', '/oauth/v2/token', idp.web, { ...right, ...changes })
      expect(refused.status).toBe(400)
      expect(await refused.json()).toMatchObject({ error: 'invalid_grant' })
    }
  })
})
