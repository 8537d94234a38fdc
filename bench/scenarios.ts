/** What is measured: each scenario is one request, or the few that belong together, over one connection. */
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf'
import { AuthService } from '@zitadel/proto/zitadel/auth_pb.js'
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import type { JWK } from 'jose'
import { type AppLogin, appPerson, clientAppId } from './app.ts'
import type { Asks, Reply } from './connection.ts'
import { type LogoutSession, startApplications } from './logout.ts'

/** What the driver knows of the seeded data. */
export interface Facts {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly jwtClientId: string
  readonly redirectUri: string
  /** One session, signed in. */
  readonly cookie: string
  /** Of a browser in which an administrator is signed in to the console. */
  readonly consoleCookie: string
  /** Opaque access tokens with metadata scope and Dossier's audience, of different users. */
  readonly accessTokens: readonly string[]
  /** Of a machine user who manages the others, `userIds`. */
  readonly managerToken: string
  readonly userIds: readonly string[]
  /** One refresh token for each connection. */
  readonly refreshTokens: readonly string[]
  /** The private half of an ES256 key, as JWK: an application proves itself by it, and tokens are bound to it. */
  readonly privateJwk: JWK
  readonly keyClientId: string
  readonly boundTokens: readonly string[]
  /** Sessions to end, and the port at which the applications of all of them listen. */
  readonly logoutSessions: readonly LogoutSession[]
  readonly logoutPort: number
  /** People who are logged in to an App Services app, each with a document of 2 KB. */
  readonly appLogins: readonly AppLogin[]
}

export interface Scenario {
  readonly name: string
  /** How many times bare Koa's CPU a request may take (issues 4 and 6). */
  readonly aim?: number
  /** More CPU than this for one request fails the run. */
  readonly limitMilliseconds?: number
  /** Over HTTP/2, with the message in binary. */
  readonly overGrpc?: true
  /** Makes the step that one connection repeats; `index` is the connection's number. */
  prepare(facts: Facts, index: number): (connection: Asks) => Promise<Reply>
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

/** Takes the next of `values` at each call, beginning at a place of its own. */
function taking<T>(values: readonly T[], index: number): () => T {
  let next = index * 7919
  return () => values[next++ % values.length] as T
}

const keyQuery = { query: { limit: 100 }, queries: [{ keyQuery: { key: 'key-3', method: 'TEXT_QUERY_METHOD_EQUALS' } }] } as const

/** A call of ZITADEL's API by a manager, about one user after the other. */
const managing =
  (ask: (id: string, round: number) => readonly [method: string, path: string, body?: object]): Scenario['prepare'] =>
  ({ managerToken, userIds }, index) => {
    const user = taking(userIds, index)
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${managerToken}` }
    let round = index
    return (connection) => {
      round += 1
      const [method, path, body] = ask(user(), round)
      return connection.request(method, path, headers, body ? JSON.stringify(body) : '')
    }
  }

/** The same over gRPC. */
const calling =
  <I extends DescMessage>(rpc: DescMethodUnary<I>, ask: (id: string, round: number) => MessageInitShape<I>): Scenario['prepare'] =>
  ({ managerToken, userIds }, index) => {
    const user = taking(userIds, index)
    const path = `/${rpc.parent.typeName}/${rpc.name}`
    const headers = { authorization: `Bearer ${managerToken}` }
    let round = index
    return (connection) => {
      round += 1
      return connection.request('POST', path, headers, Buffer.from(toBinary(rpc.input, create(rpc.input, ask(user(), round)))))
    }
  }

/** Another value in each round: setting what is there already is no change. */
const bytesOf = (round: number) => Buffer.from(`value ${round}`)
const tenOf = (round: number) => Array.from({ length: 10 }, (_, key) => ({ key: `key-${key}`, value: bytesOf(round) }))
const asJson = ({ key, value }: { key: string; value: Buffer }) => ({ key, value: value.toString('base64') })
const { getUserMetadata, setUserMetadata, bulkSetUserMetadata } = ManagementService.method
const management = '/management/v1/users'
const appPath = `/api/client/v2.0/app/${clientAppId}`
const json = { 'content-type': 'application/json' }

/** Pages of the console that list what there may be a great many of. */
const consolePages: Readonly<Record<string, (userId: string) => string>> = {
  overview: () => '/console',
  users: () => '/console/users',
  'users, by a word': () => '/console/users?q=user-77',
  'users, by metadata': () => `/console/users?key=key-3&value=${encodeURIComponent('value of key-3 for user 7')}`,
  'metadata of a user': (userId) => `/console/users/${userId}/metadata`,
  'history of a user': (userId) => `/console/users/${userId}/history`,
  'audit trail': () => '/console/audit',
  'audit trail, by type': () => '/console/audit?type=user.signed_in',
}

export const scenarios: readonly Scenario[] = [
  { name: 'bare Koa', prepare: () => (connection) => connection.request('GET', '/') },
  { name: 'discovery', aim: 1.3, prepare: () => (connection) => connection.request('GET', '/.well-known/openid-configuration') },
  { name: 'keys (JWKS)', aim: 1.3, prepare: () => (connection) => connection.request('GET', '/oauth/v2/keys') },
  {
    name: '_search by key',
    aim: 4,
    prepare({ accessTokens }, index) {
      const token = taking(accessTokens, index)
      const body = JSON.stringify(keyQuery)
      return (connection) =>
        connection.request(
          'POST',
          '/auth/v1/users/me/metadata/_search',
          { 'content-type': 'application/json', authorization: `Bearer ${token()}` },
          body,
        )
    },
  },
  {
    name: 'userinfo with metadata',
    aim: 5,
    prepare({ accessTokens }, index) {
      const token = taking(accessTokens, index)
      return (connection) => connection.request('GET', '/oidc/v1/userinfo', { authorization: `Bearer ${token()}` })
    },
  },
  {
    name: 'introspection',
    aim: 6,
    prepare({ accessTokens, clientId, clientSecret }, index) {
      const token = taking(accessTokens, index)
      const headers = { ...form, authorization: basic(clientId, clientSecret) }
      return (connection) => connection.request('POST', '/oauth/v2/introspect', headers, `token=${token()}&token_type_hint=access_token`)
    },
  },
  {
    name: 'client credentials, ES256 token',
    aim: 9,
    prepare({ jwtClientId, clientSecret }) {
      const headers = { ...form, authorization: basic(jwtClientId, clientSecret) }
      return (connection) => connection.request('POST', '/oauth/v2/token', headers, 'grant_type=client_credentials')
    },
  },
  {
    name: 'refresh, ES256 ID token',
    aim: 12,
    prepare({ refreshTokens, clientId, clientSecret }, index) {
      const headers = { ...form, authorization: basic(clientId, clientSecret) }
      let token = refreshTokens[index] as string
      return async (connection) => {
        const reply = await connection.request(
          'POST',
          '/oauth/v2/token',
          headers,
          `grant_type=refresh_token&refresh_token=${encodeURIComponent(token)}`,
        )
        if (reply.status === 200) token = (JSON.parse(reply.body) as { refresh_token: string }).refresh_token
        return reply
      }
    },
  },
  {
    name: 'authorize with a session + code exchange',
    aim: 40,
    prepare({ clientId, clientSecret, redirectUri, cookie }) {
      const headers = { ...form, authorization: basic(clientId, clientSecret) }
      return async (connection) => {
        const verifier = randomBytes(32).toString('base64url')
        const query = new URLSearchParams({
          response_type: 'code',
          client_id: clientId,
          redirect_uri: redirectUri,
          scope: 'openid profile email urn:zitadel:iam:user:metadata',
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
        })
        const redirect = await connection.request('GET', `/oauth/v2/authorize?${query}`, { cookie })
        const code = URL.parse(redirect.headers.get('location') ?? '')?.searchParams.get('code')
        if (!code) throw new Error(`no code came back: ${redirect.status} ${redirect.headers.get('location')}`)
        const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier })
        return connection.request('POST', '/oauth/v2/token', headers, body.toString())
      }
    },
  },
  {
    name: '_search by key, Connect',
    prepare({ accessTokens }, index) {
      const token = taking(accessTokens, index)
      const body = JSON.stringify(keyQuery)
      const path = '/zitadel.auth.v1.AuthService/ListMyMetadata'
      return (connection) => connection.request('POST', path, { ...json, authorization: `Bearer ${token()}` }, body)
    },
  },
  {
    name: '_search by key, gRPC',
    overGrpc: true,
    prepare({ accessTokens }, index) {
      const token = taking(accessTokens, index)
      const rpc = AuthService.method.listMyMetadata
      const body = Buffer.from(toBinary(rpc.input, fromJson(rpc.input, keyQuery as unknown as JsonValue)))
      const path = '/zitadel.auth.v1.AuthService/ListMyMetadata'
      return (connection) => connection.request('POST', path, { authorization: `Bearer ${token()}` }, body)
    },
  },
  { name: 'management: get metadata', aim: 3.5, prepare: managing((id) => ['GET', `${management}/${id}/metadata/key-3`]) },
  { name: 'management: get metadata, gRPC', overGrpc: true, prepare: calling(getUserMetadata, (id) => ({ id, key: 'key-3' })) },
  {
    name: 'management: set metadata',
    aim: 8,
    prepare: managing((id, round) => ['POST', `${management}/${id}/metadata/key-3`, { value: bytesOf(round).toString('base64') }]),
  },
  {
    name: 'management: set metadata, gRPC',
    overGrpc: true,
    prepare: calling(setUserMetadata, (id, round) => ({ id, key: 'key-3', value: bytesOf(round) })),
  },
  {
    name: 'management: bulk set of 10 keys',
    prepare: managing((id, round) => ['POST', `${management}/${id}/metadata/_bulk`, { metadata: tenOf(round).map(asJson) }]),
  },
  {
    name: 'management: bulk set of 10 keys, gRPC',
    overGrpc: true,
    prepare: calling(bulkSetUserMetadata, (id, round) => ({ id, metadata: tenOf(round) })),
  },
  {
    name: 'list of users by e-mail, ten found, v2',
    aim: 5,
    prepare: managing((_, round) => [
      'POST',
      '/v2/users',
      {
        query: { limit: 10 },
        queries: [{ emailQuery: { emailAddress: `user-${10 + (round % 90)}`, method: 'TEXT_QUERY_METHOD_STARTS_WITH' } }],
      },
    ]),
  },
  {
    name: 'pushed authorization request',
    prepare({ clientId, clientSecret, redirectUri }) {
      const headers = { ...form, authorization: basic(clientId, clientSecret) }
      const request = { response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope: 'openid profile email' }
      const body = new URLSearchParams({ ...request, code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }).toString()
      return (connection) => connection.request('POST', '/oauth/v2/par', headers, body)
    },
  },
  {
    name: 'device authorization',
    prepare({ clientId, clientSecret }) {
      const headers = { ...form, authorization: basic(clientId, clientSecret) }
      return (connection) => connection.request('POST', '/oauth/v2/device_authorization', headers, 'scope=openid')
    },
  },
  {
    name: 'userinfo with a DPoP-bound token',
    prepare({ issuer, boundTokens, privateJwk }, index) {
      const token = taking(boundTokens, index)
      const jws = jwsOf(privateJwk, 'dpop+jwt')
      return (connection) => {
        const value = token()
        const ath = createHash('sha256').update(value).digest('base64url')
        const proof = jws({ htm: 'GET', htu: `${issuer}/oidc/v1/userinfo`, ath })
        return connection.request('GET', '/oidc/v1/userinfo', { authorization: `DPoP ${value}`, dpop: proof })
      }
    },
  },
  {
    name: 'client credentials, private_key_jwt',
    prepare({ issuer, keyClientId, privateJwk }) {
      const jws = jwsOf(privateJwk)
      return (connection) => {
        const assertion = jws({ iss: keyClientId, sub: keyClientId, aud: issuer })
        const type = encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
        const body = `grant_type=client_credentials&client_assertion_type=${type}&client_assertion=${assertion}`
        return connection.request('POST', '/oauth/v2/token', form, body)
      }
    },
  },
  {
    name: 'App Services: session refresh with a document of 2 KB',
    aim: 8,
    prepare({ appLogins }, index) {
      const login = taking(appLogins, index)
      return (connection) =>
        connection.request('POST', '/api/client/v2.0/auth/session', { authorization: `Bearer ${login().refreshToken}` })
    },
  },
  {
    name: 'App Services: anonymous login',
    prepare: () => (connection) => connection.request('POST', `${appPath}/auth/providers/anon-user/login`, json, '{}'),
  },
  {
    name: 'App Services: e-mail and password login (argon2id)',
    prepare(_, index) {
      const body = JSON.stringify(appPerson(index))
      return (connection) => connection.request('POST', `${appPath}/auth/providers/local-userpass/login`, json, body)
    },
  },
  {
    name: 'App Services: callFunction of a trivial function',
    prepare({ appLogins }, index) {
      const login = taking(appLogins, index)
      const body = JSON.stringify({ name: 'one', arguments: [] })
      return (connection) =>
        connection.request('POST', `${appPath}/functions/call`, { ...json, authorization: `Bearer ${login().accessToken}` }, body)
    },
  },
  ...Object.entries(consolePages).map(
    ([name, pathOf]): Scenario => ({
      name: `console: ${name}`,
      limitMilliseconds: 50,
      prepare({ consoleCookie, userIds }, index) {
        const user = taking(userIds, index)
        return (connection) => connection.request('GET', pathOf(user()), { accept: 'text/html', cookie: consoleCookie })
      },
    }),
  ),
  {
    name: 'sign-out told to 100 applications',
    prepare({ logoutSessions, logoutPort }) {
      toldAll ??= startApplications(logoutPort)
      const allTold = toldAll
      return async (connection) => {
        const session = logoutSessions[ended++]
        if (!session) throw new Error('all sessions have ended: give fewer --seconds')
        const reply = await connection.request('DELETE', `/account/sessions/${session.id}`, { authorization: `Bearer ${session.token}` })
        await allTold(session.userId)
        return reply
      }
    },
  },
]

/** Of `logoutSessions`, in this process. */
let ended = 0
let toldAll: ReturnType<typeof startApplications> | undefined

/** Makes signed JWTs that hold for a minute and were never there before. */
function jwsOf(privateJwk: JWK, typ?: string): (claims: object) => string {
  const key = createPrivateKey({ key: privateJwk as never, format: 'jwk' })
  const jwk = createPublicKey(key).export({ format: 'jwk' })
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = encoded({ alg: 'ES256', ...(typ ? { typ, jwk } : { kid: 'bench' }) })
  return (claims) => {
    const iat = Math.floor(Date.now() / 1000)
    const text = `${header}.${encoded({ iat, exp: iat + 60, jti: randomBytes(16).toString('base64url'), ...claims })}`
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
}
