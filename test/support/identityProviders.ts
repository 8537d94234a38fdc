/** Stand-ins for identity providers that speak their real shapes, on real sockets: Google (and any other OpenID Connect provider), and Facebook. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

interface Answer {
  readonly status?: number
  readonly location?: string
  readonly body?: object
}

type Routes = Readonly<Record<string, (parameters: URLSearchParams, request: IncomingMessage) => Answer | Promise<Answer>>>

async function serve(routesAt: (base: string) => Routes) {
  let routes: Routes = {}
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://stand-in')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const parameters = new URLSearchParams([...url.searchParams, ...new URLSearchParams(Buffer.concat(chunks).toString())])
    const { status = 200, location, body } = (await routes[url.pathname]?.(parameters, request)) ?? { status: 404, body: {} }
    response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) })
    response.end(body && JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  routes = routesAt(issuer)
  return {
    issuer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

export const clientId = 'client-of-dossier'
export const clientSecret = 'a secret of the client'

export type Person = Readonly<Record<string, unknown>>

/** An OpenID Connect provider at which somebody is signed in already. */
export async function startOpenIdProvider() {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const stranger = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig', alg: 'RS256' }
  const codes = new Map<
    string,
    { readonly person: Person; readonly redirectUri: string; readonly challenge?: string; readonly nonce?: string }
  >()
  const state = { person: {} as Person, denies: false, nonce: undefined as string | undefined }
  let count = 0

  const newCode = (granted: { readonly redirectUri: string; readonly challenge?: string; readonly nonce?: string }) => {
    count += 1
    codes.set(`code-${count}`, { person: state.person, ...granted })
    return `code-${count}`
  }
  const idToken = (issuer: string, claims: object, { audience = clientId, key = privateKey, expires = '5m' } = {}) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(key)

  const provider = await serve((issuer) => ({
    '/.well-known/openid-configuration': () => ({
      body: {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      },
    }),
    '/keys': () => ({ body: { keys: [jwk] } }),
    '/authorize': (asked) => {
      const back = new URL(asked.get('redirect_uri') ?? '')
      back.searchParams.set('state', asked.get('state') ?? '')
      if (state.denies) back.searchParams.set('error', 'access_denied')
      else {
        const [challenge, nonce] = [asked.get('code_challenge') ?? '', state.nonce ?? asked.get('nonce') ?? '']
        back.searchParams.set('code', newCode({ redirectUri: asked.get('redirect_uri') ?? '', challenge, nonce }))
      }
      return { status: 302, location: back.href }
    },
    '/token': async (given) => {
      const granted = codes.get(given.get('code') ?? '')
      const refuse = (error: string) => ({ status: 400, body: { error } })
      if (given.get('client_id') !== clientId || given.get('client_secret') !== clientSecret)
        return { status: 401, body: { error: 'invalid_client' } }
      if (!granted) return refuse('invalid_grant')
      if (given.get('redirect_uri') !== granted.redirectUri) return refuse('redirect_uri_mismatch')
      const verifier = given.get('code_verifier')
      if (
        granted.challenge &&
        createHash('sha256')
          .update(verifier ?? '')
          .digest('base64url') !== granted.challenge
      )
        return refuse('invalid_grant')
      codes.delete(given.get('code') ?? '')
      const { sub, ...rest } = granted.person
      const claims = { sub, email: rest.email, email_verified: rest.email_verified, ...(granted.nonce && { nonce: granted.nonce }) }
      return {
        body: {
          access_token: Buffer.from(JSON.stringify(granted.person)).toString('base64url'),
          token_type: 'Bearer',
          expires_in: 3599,
          scope: 'openid profile email',
          id_token: await idToken(issuer, claims),
        },
      }
    },
    '/userinfo': (_, request) => {
      const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
      return { body: JSON.parse(Buffer.from(token, 'base64url').toString()) }
    },
  }))
  return Object.assign(provider, {
    state,
    newCode,
    idToken: (claims: object, options: { audience?: string; expires?: string } = {}) => idToken(provider.issuer, claims, options),
    forgedIdToken: (claims: object) => idToken(provider.issuer, claims, { key: stranger.privateKey }),
  })
}

/** Facebook: the dialog, tokens for codes, `/debug_token` and `/me?fields=` with its proof. */
export async function startFacebook(proofOf: (token: string) => string) {
  const people = new Map<string, { readonly person: Person; readonly app: string }>()
  const state = { person: {} as Person }
  const refuse = (message: string) => ({ status: 400, body: { error: { message, type: 'OAuthException', code: 190 } } })
  const newToken = (person: Person, app = clientId) => {
    const token = `EAAB${people.size}`
    people.set(token, { person, app })
    return token
  }
  const provider = await serve(() => ({
    '/v19.0/dialog/oauth': (asked) => {
      const back = new URL(asked.get('redirect_uri') ?? '')
      back.searchParams.set('state', asked.get('state') ?? '')
      back.searchParams.set('code', `code of ${newToken(state.person)}`)
      return { status: 302, location: back.href }
    },
    '/v19.0/oauth/access_token': (given) => {
      if (given.get('client_secret') !== clientSecret) return refuse('Error validating client secret.')
      return { body: { access_token: given.get('code')?.replace('code of ', ''), token_type: 'bearer', expires_in: 5_183_944 } }
    },
    '/v19.0/debug_token': (given) => {
      if (given.get('access_token') !== `${clientId}|${clientSecret}`) return refuse('Invalid OAuth access token signature.')
      const known = people.get(given.get('input_token') ?? '')
      return { body: { data: known ? { app_id: known.app, type: 'USER', is_valid: true } : { is_valid: false } } }
    },
    '/v19.0/me': (given) => {
      const token = given.get('access_token') ?? ''
      const known = people.get(token)
      if (!known) return refuse('Invalid OAuth access token.')
      if (given.get('appsecret_proof') !== proofOf(token)) return refuse('Invalid appsecret_proof provided in the API argument')
      const wanted = new Set(given.get('fields')?.split(','))
      return { body: Object.fromEntries(Object.entries(known.person).filter(([name]) => wanted.has(name))) }
    },
  }))
  return Object.assign(provider, { state, newToken })
}
