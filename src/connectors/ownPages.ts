/**
 * Dossier's own pages as relying parties of Dossier: code with PKCE, state and nonce, by the library that others use. Requests do not leave the process, so that no proxy, certificate
 * or address of the network stands between the two.
 */
import type { RequestListener } from 'node:http'
import type { Configuration } from 'openid-client'
import { DomainError } from '#src/base/errors.ts'

/** The answer to a login is not one that was asked for, or says no. */
class LoginNotCompleted extends DomainError {
  readonly code = 'pages.login_not_completed'
  constructor(options?: ErrorOptions) {
    super('the sign-in was not completed', options)
  }
}

/** What a browser has to bring back. */
interface Attempt {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

interface LoggedIn {
  readonly userId: string
  readonly accessToken: string
  /** When they last proved who they are. */
  readonly provedAt: Date
}

export interface OwnPages {
  /** Where to send a browser to sign in, and what it has to bring back. */
  begin(wish: {
    readonly clientId: string
    readonly redirectUri: string
    readonly scope: string
    /** Whoever has proved who they are longer ago does it again. */
    readonly maxAgeSeconds: number
    readonly prompt?: 'login'
    readonly uiLocales?: string
    readonly loginHint?: string
  }): Promise<{ readonly address: string; readonly attempt: Attempt }>
  /** Who came back, with their access token. @throws LoginNotCompleted */
  finish(clientId: string, callback: URL, attempt: Attempt): Promise<LoggedIn>
  /** Ends an access token (RFC 7009). */
  revoke(clientId: string, accessToken: string): Promise<void>
}

export interface OwnPagesDeps {
  readonly issuer: string
  /** Answers a request as the server would. */
  readonly listener: () => RequestListener
}

/** A request to the server in this process. */
export function fetchWithin({ issuer, listener }: OwnPagesDeps) {
  const { host } = new URL(issuer)
  let answer: RequestListener | undefined
  return async function fetch(address: string, { method = 'GET', headers = {}, body }: Sent): Promise<Response> {
    answer ??= listener()
    const { default: inject } = await import('light-my-request')
    const { pathname, search } = new URL(address)
    const given = Object.fromEntries(new Headers(headers as ConstructorParameters<typeof Headers>[0]))
    const payload = body === undefined || body === null ? undefined : String(body)
    const reply = await inject(answer as never, {
      method: method as 'GET',
      url: `${pathname}${search}`,
      headers: { ...given, host },
      ...(payload !== undefined && { payload }),
    })
    const told = Object.entries(reply.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): [string, string] => [name, String(each)]),
    )
    return new Response(reply.statusCode === 204 ? null : new Uint8Array(reply.rawPayload), { status: reply.statusCode, headers: told })
  }
}

interface Sent {
  readonly method?: string
  readonly headers?: unknown
  readonly body?: unknown
}

/** Not loaded before somebody opens a page. */
const library = () => import('openid-client')

export function createOwnPages(deps: OwnPagesDeps): OwnPages {
  const fetch = fetchWithin(deps)
  const known = new Map<string, Promise<Configuration>>()

  async function discover(clientId: string): Promise<Configuration> {
    const { allowInsecureRequests, customFetch, discovery, None } = await library()
    const metadata = { id_token_signed_response_alg: 'ES256' }
    return discovery(new URL(deps.issuer), clientId, metadata, None(), {
      [customFetch]: fetch,
      ...(deps.issuer.startsWith('http:') && { execute: [allowInsecureRequests] }),
    })
  }

  function configurationOf(clientId: string): Promise<Configuration> {
    const before = known.get(clientId)
    if (before) return before
    const finding = discover(clientId)
    known.set(clientId, finding)
    finding.catch(() => known.delete(clientId))
    return finding
  }

  return {
    async begin({ clientId, redirectUri, scope, maxAgeSeconds, prompt, uiLocales, loginHint }) {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge, randomNonce, randomPKCECodeVerifier, randomState } = await library()
      const attempt = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() }
      const address = buildAuthorizationUrl(await configurationOf(clientId), {
        redirect_uri: redirectUri,
        scope,
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: 'S256',
        max_age: String(maxAgeSeconds),
        ...(prompt && { prompt }),
        ...(uiLocales !== undefined && { ui_locales: uiLocales }),
        ...(loginHint !== undefined && { login_hint: loginHint }),
      })
      return { address: address.href, attempt }
    },

    async finish(clientId, callback, { state, nonce, verifier }) {
      const [{ authorizationCodeGrant }, configuration] = await Promise.all([library(), configurationOf(clientId)])
      const tokens = await authorizationCodeGrant(configuration, callback, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      }).catch((cause: unknown) => {
        throw new LoginNotCompleted({ cause })
      })
      const claims = tokens.claims()
      if (!claims) throw new LoginNotCompleted()
      return { userId: claims.sub, accessToken: tokens.access_token, provedAt: new Date(Number(claims.auth_time ?? 0) * 1000) }
    },

    async revoke(clientId, accessToken) {
      const [{ tokenRevocation }, configuration] = await Promise.all([library(), configurationOf(clientId)])
      await tokenRevocation(configuration, accessToken, { token_type_hint: 'access_token' })
    },
  }
}
