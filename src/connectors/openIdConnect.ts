/** Google, Apple and any other provider that speaks OpenID Connect: discovery, code with PKCE, state and nonce, ID tokens. */
import { createRemoteJWKSet, jwtVerify, customFetch as keysFetch } from 'jose'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  fetchUserInfo,
  genericGrantRequest,
  None,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from 'openid-client'
import { type IdentityProvider, ProviderRefused, type ProviderSettings, type Told } from '#src/domain/federation/provider.ts'

/** Calls out, to nothing private. */
export type OutboundFetch = (url: string, options: RequestInit & { readonly timeoutMs?: number }) => Promise<Response>

interface Flavour {
  readonly issuer?: string
  readonly scope: string
  /** Apple answers with a form when it is asked for a name or an e-mail address. */
  readonly responseMode?: 'form_post'
  /** What an application on a device says its redirect URI was: Google's own library names one, on Android there is none. */
  readonly codeRedirectUris?: readonly string[]
}

const flavours: Readonly<Record<string, Flavour>> = {
  'oauth2-google': { issuer: 'https://accounts.google.com', scope: 'openid profile email', codeRedirectUris: ['postmessage', ''] },
  'oauth2-apple': { issuer: 'https://appleid.apple.com', scope: 'openid name email', responseMode: 'form_post' },
}

const timeoutMs = 5000
const keptMs = 3600_000
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

interface Known {
  readonly at: number
  readonly configuration: Promise<Configuration>
  keys?: ReturnType<typeof createRemoteJWKSet>
}

/** The connector of a provider of this type: `oauth2-google`, `oauth2-apple`, or `oauth2-NAME` with an issuer. */
export function createOpenIdConnect(
  type: string,
  { fetch, now }: { readonly fetch: OutboundFetch; readonly now: () => Date },
): IdentityProvider {
  const flavour: Flavour = flavours[type] ?? { scope: 'openid profile email' }
  const known = new Map<string, Known>()

  /** What the provider says of itself, kept for an hour. */
  function knownOf({ issuer = flavour.issuer ?? '', clientId, clientSecret }: ProviderSettings): Known {
    const key = JSON.stringify([issuer, clientId, clientSecret])
    const at = now().getTime()
    const before = known.get(key)
    if (before && at - before.at < keptMs) return before
    const configuration = discovery(new URL(issuer), clientId, undefined, clientSecret ? ClientSecretPost(clientSecret) : None(), {
      [customFetch]: (url, options) => fetch(url, { ...options, timeoutMs } as RequestInit),
      ...(issuer.startsWith('http:') && { execute: [allowInsecureRequests] }),
    })
    const entry: Known = { at, configuration }
    known.set(key, entry)
    configuration.catch(() => known.delete(key))
    return entry
  }

  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ProviderRefused) throw error
      throw new ProviderRefused(`the provider ${type} does not vouch for this login: ${reasonOf(error)}`, { cause: error })
    }
  }

  /** What the ID token and userinfo tell together. */
  async function told(configuration: Configuration, tokens: TokenEndpointResponse & TokenEndpointResponseHelpers): Promise<Told> {
    const claims = tokens.claims()
    if (!claims) throw new ProviderRefused(`the provider ${type} gave no ID token`)
    const hasUserInfo = configuration.serverMetadata().userinfo_endpoint !== undefined
    const more = hasUserInfo ? await fetchUserInfo(configuration, tokens.access_token, claims.sub) : {}
    return { ...more, ...claims }
  }

  return {
    addressOf: (settings, { redirectUri, state, nonce, codeVerifier }) =>
      guarded(async () => {
        const configuration = await knownOf(settings).configuration
        const challenge = await calculatePKCECodeChallenge(codeVerifier)
        return buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope: flavour.scope,
          state,
          nonce,
          code_challenge: challenge,
          code_challenge_method: 'S256',
          ...(flavour.responseMode && { response_mode: flavour.responseMode }),
        }).href
      }),

    answered: (settings, { redirectUri, state, nonce, codeVerifier }, parameters) =>
      guarded(async () => {
        const configuration = await knownOf(settings).configuration
        const address = new URL(redirectUri)
        for (const [name, value] of parameters) address.searchParams.append(name, value)
        const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier, idTokenExpected: true }
        return told(configuration, await authorizationCodeGrant(configuration, address, checks))
      }),

    byCode: (settings, code) =>
      guarded(async () => {
        const configuration = await knownOf(settings).configuration
        const redeem = (redirect_uri: string) => genericGrantRequest(configuration, 'authorization_code', { code, redirect_uri })
        const [first = '', ...others] = flavour.codeRedirectUris ?? ['']
        const tokens = await others.reduce((tried, uri) => tried.catch(ifMismatch(() => redeem(uri))), redeem(first))
        return told(configuration, tokens)
      }),

    byIdToken: (settings, token) =>
      guarded(async () => {
        const entry = knownOf(settings)
        const metadata = (await entry.configuration).serverMetadata()
        if (!metadata.jwks_uri) throw new ProviderRefused(`the provider ${type} publishes no keys`)
        entry.keys ??= createRemoteJWKSet(new URL(metadata.jwks_uri), {
          [keysFetch]: (url, options) => fetch(url, { ...options, timeoutMs } as RequestInit),
        })
        const { payload } = await jwtVerify(token, entry.keys, {
          // Google writes its own name with and without a scheme.
          issuer: [metadata.issuer, metadata.issuer.replace(/^https:\/\//, '')],
          audience: settings.clientId,
          algorithms,
          requiredClaims: ['sub', 'exp', 'iat'],
        })
        return payload as Told
      }),
  }
}

/** A code that was made for another redirect URI is not used up by that. */
const ifMismatch =
  <T>(again: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if ((error as { error?: unknown }).error === 'redirect_uri_mismatch') return again()
    throw error
  }

const reasonOf = (error: unknown) => {
  const { error: code, error_description: text, message } = error as { error?: unknown; error_description?: unknown; message?: string }
  return [code, text].filter((each) => typeof each === 'string').join(': ') || message || String(error)
}
