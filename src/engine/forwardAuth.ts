import { hash } from 'node:crypto'
import type { Application } from '#src/domain/applications/application.ts'
import type { ApplicationView } from '#src/domain/applications/catalogue.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import { isActive, type User, type UserId } from '#src/domain/users/user.ts'
import { findAccount } from './account.ts'
import { type FindToken, isBound, type StoredToken } from './bearer.ts'
import { createGrants, type GrantsDeps } from './quick/grants.ts'
import { metadataScope, readScope } from './scopes.ts'

export interface ForwardAuthDeps extends GrantsDeps {
  readonly issuer: string
  readonly findToken: FindToken
  readonly artifacts: Pick<ArtifactStore, 'findToken' | 'exchange' | 'put' | 'find' | 'remove' | 'removeByGrant'>
}

/** Who is signed in at a proxy. */
export interface SignedIn {
  readonly user: User
  /** All metadata as `metadataText`, when the application's proxies are told of any and the user has some. */
  readonly metadata?: string
}

interface SignInRequest {
  readonly redirectUri: string
  readonly state: string
  readonly verifier: string
}

/**
 * What a proxy in front of an application needs of the engine: the code flow of that application, and a judgement of the access token that it ends
 * with. The token is opaque, whatever the application gives its other clients, and ends with the session at the issuer.
 */
export function createForwardAuth({ issuer, findToken, ...deps }: ForwardAuthDeps) {
  const { artifacts, users } = deps
  const grants = createGrants(deps)

  const ownToken = async (value: string, clientId: string): Promise<StoredToken | undefined> => {
    const token = (await findToken(value))?.token
    return token?.clientId === clientId && !isBound(token) && token.aud === undefined ? token : undefined
  }

  return {
    /** The address at the issuer where a person signs in for the application (RFC 6749, section 4.1.1, with PKCE). */
    signInAddress: ({ application }: ApplicationView, { redirectUri, state, verifier }: SignInRequest) =>
      address(issuer, '/oauth/v2/authorize', {
        client_id: application.clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: scopesOf(application).join(' '),
        state,
        code_challenge: hash('sha256', verifier, 'base64url'),
        code_challenge_method: 'S256',
      }),

    /** The access token for a code, by the rules of the token endpoint; `undefined` when the code does not hold. */
    async exchange(
      { application, ...view }: ApplicationView,
      { code, redirectUri, verifier }: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
    ): Promise<string | undefined> {
      const opaque = { ...view, application: { ...application, accessTokenType: 'bearer', idTokenUserinfoAssertion: false } as const }
      const answer = await grants.authorization_code?.(opaque, { code, redirect_uri: redirectUri, code_verifier: verifier })
      if (answer && 'access_token' in answer) return answer.access_token
      if (!answer) await revokeReused(code, application.clientId)
      return undefined
    },

    /** Who holds `token`, if it was issued to this application, covers what its proxies are told, and its user may act. */
    async find({ application }: ApplicationView, value: string): Promise<SignedIn | undefined> {
      const token = await ownToken(value, application.clientId)
      if (token?.accountId === undefined) return undefined
      const request = readScope(token.scope)
      // Somebody who signed in before the setting named metadata is asked again, and not told of halfway.
      if (!scopesOf(application).every((scope) => request.scopes.has(scope))) return undefined
      const account = await findAccount(users, token.accountId as UserId, request)
      return account && isActive(account.user) ? account : undefined
    },

    /** Revokes `token`, if it was issued to this application. */
    async end({ application }: ApplicationView, value: string): Promise<void> {
      const token = await ownToken(value, application.clientId)
      if (token) await artifacts.remove('AccessToken', token.jti)
    },

    /** The address at the issuer where a person signs out, and comes back from if the application has registered where to. */
    signOutAddress: ({ application }: ApplicationView, origin: string) => {
      const back = application.postLogoutRedirectUris.find((uri) => URL.canParse(uri) && new URL(uri).origin === origin)
      return address(issuer, '/oidc/v1/end_session', { client_id: application.clientId, ...(back && { post_logout_redirect_uri: back }) })
    },
  }

  /** A code that comes twice was stolen once: what it gave ends (RFC 6749, section 4.1.2), as at the token endpoint. */
  async function revokeReused(code: string, clientId: string): Promise<void> {
    const found = await artifacts.find('AuthorizationCode', code)
    const { grantId, clientId: owner } = (found?.payload ?? {}) as Partial<StoredToken>
    if (!found?.consumedAt || grantId === undefined || owner !== clientId) return
    const models = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode']
    await Promise.all([...models.map((model) => artifacts.removeByGrant(model, grantId)), artifacts.remove('Grant', grantId)])
  }
}

export type ForwardAuth = ReturnType<typeof createForwardAuth>

/** What the person is asked to let the application see: what its proxies are told. */
const scopesOf = ({ forwardAuth }: Application): readonly string[] =>
  forwardAuth && forwardAuth.metadata.length > 0 ? ['openid', 'email', metadataScope] : ['openid', 'email']

const address = (issuer: string, path: string, parameters: Readonly<Record<string, string>>) =>
  `${issuer}${path}?${new URLSearchParams(parameters)}`
