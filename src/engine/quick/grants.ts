import { hash } from 'node:crypto'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { GrantType } from '#src/domain/applications/application.ts'
import type { ApplicationView, Catalogue } from '#src/domain/applications/catalogue.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import { newAccessTokenId, type SignAccessToken } from '../accessTokens.ts'
import { reuseReason } from '../adapter.ts'
import { artifactOf } from '../artifacts.ts'
import { holding } from '../bearer.ts'
import { allowedGrants } from '../clients.ts'
import type { TokenEvents } from '../events.ts'
import { isDynamicScope, readScope, staticScopes } from '../scopes.ts'
import type { Form } from './form.ts'
import { createIssue, type IssueDeps, type IssueRequest, type StoredSource, type TokenResponse } from './issue.ts'
import { hasOnly, isUsual } from './source.ts'

export interface GrantsDeps extends IssueDeps {
  readonly artifacts: Pick<ArtifactStore, 'findToken' | 'exchange' | 'put'>
  readonly catalogue: Catalogue
  readonly signAccessToken: SignAccessToken
  readonly tokens: TokenEvents
  readonly now: Clock
}

interface Refusal {
  readonly error: 'invalid_grant'
  readonly error_description: string
}

/** Answers for an application that is authenticated; `undefined` for what is unusual or wrong, which is left to the engine untouched. */
export type Grant = (view: ApplicationView, form: Form) => Promise<TokenResponse | Refusal | undefined>

interface StoredCode extends StoredSource {
  readonly codeChallenge?: string
  readonly codeChallengeMethod?: string
  readonly redirectUri?: string
}

const credentials = ['grant_type', 'client_id', 'client_secret']
const codeFields = new Set([...credentials, 'code', 'redirect_uri', 'code_verifier'])
const refreshFields = new Set([...credentials, 'refresh_token'])
const clientFields = new Set([...credentials, 'scope'])

/** The grants that nearly all token requests are, by `grant_type`. */
export function createGrants(deps: GrantsDeps): Readonly<Partial<Record<string, Grant>>> {
  const { artifacts, catalogue, signAccessToken, tokens, now } = deps
  const issue = createIssue(deps)

  async function find<Source extends StoredSource>(model: string, id: string, { application }: ApplicationView) {
    const held = holding<Source>(await artifacts.findToken(model, id), now())
    return held && isUsual(held) && held.token.clientId === application.clientId ? held : undefined
  }

  /** Issues tokens and uses up what they are issued for in one write, so that of many requests at once one succeeds. */
  async function exchange(model: string, grantType: string, request: IssueRequest) {
    const issued = await issue(request)
    if (!issued) return undefined
    const facts = { userId: request.source.accountId, clientId: request.source.clientId, grant: grantType }
    if (await artifacts.exchange(model, request.source.jti, issued.artifacts, now())) {
      tokens.issued({ ...facts, scope: issued.answer.scope })
      return issued.answer
    }
    // Somebody else was faster with the same code or refresh token.
    const refusal = { error: 'invalid_grant', error_description: reuseReason(model) } as const
    tokens.refused({ ...facts, reason: `${refusal.error}: ${refusal.error_description}` })
    return refusal
  }

  return {
    async authorization_code(view, form) {
      const { code, redirect_uri: redirectUri, code_verifier: verifier } = form
      if (!code || !allows(view, 'authorizationCode') || !hasOnly(form, codeFields)) return undefined
      const held = await find<StoredCode>('AuthorizationCode', code, view)
      if (!held || held.token.redirectUri !== redirectUri || !isProven(held.token, verifier)) return undefined
      const offline = allows(view, 'refreshToken') && held.token.scope?.split(' ').includes('offline_access')
      const source = held.token
      return exchange('AuthorizationCode', 'authorization_code', {
        view,
        source,
        grant: held.grant,
        gty: 'authorization_code',
        ...(offline && { refresh: { rotations: 0 } }),
      })
    },

    async refresh_token(view, form) {
      const { refresh_token: id } = form
      if (!id || !allows(view, 'refreshToken') || !hasOnly(form, refreshFields)) return undefined
      const [held, { settings }] = await Promise.all([find<StoredSource>('RefreshToken', id, view), catalogue.root()])
      if (!held) return undefined
      const { token: source, grant } = held
      // The engine prolongs a grant that would not outlive the new tokens (grants.ts).
      const until = epochSeconds(now()) + settings.refreshTokenTtlSeconds + settings.accessTokenTtlSeconds
      if (grant.exp !== undefined && grant.exp < until) return undefined
      const gty = source.gty === undefined || source.gty.endsWith('refresh_token') ? (source.gty ?? '') : `${source.gty} refresh_token`
      const refresh = { rotations: (source.rotations ?? 0) + 1, iiat: source.iiat }
      return exchange('RefreshToken', 'refresh_token', { view, source, grant, gty, refresh })
    },

    async client_credentials(view, form) {
      if (!allows(view, 'clientCredentials') || !hasOnly(form, clientFields)) return undefined
      const scope = form.scope || undefined
      if (scope?.split(' ').some((each) => !isOfClients(each))) return undefined
      const root = await catalogue.root()
      const at = now()
      const iat = epochSeconds(at)
      const ttl = root.settings.accessTokenTtlSeconds
      const isJwt = view.application.accessTokenType === 'jwt'
      const { clientId } = view.application
      const token = { iat, exp: iat + ttl, scope, kind: 'ClientCredentials', jti: newAccessTokenId(at, isJwt), clientId }
      const value = isJwt ? await signAccessToken(token, readScope(scope), { root, view }) : token.jti
      await artifacts.put(artifactOf('ClientCredentials', token.jti, token, ttl, at))
      tokens.issued({ clientId, grant: 'client_credentials', scope })
      return { access_token: value, expires_in: ttl, ...(scope !== undefined && { scope }), token_type: 'Bearer' }
    },
  }
}

const allows = ({ application }: ApplicationView, grant: GrantType) => allowedGrants(application).includes(grant)

/** PKCE (RFC 7636, section 4.6), with S256 as the only method; a code without a challenge is exchanged without a verifier. */
function isProven({ codeChallenge, codeChallengeMethod }: StoredCode, verifier: string | undefined): boolean {
  if (codeChallenge === undefined || verifier === undefined) return codeChallenge === verifier
  return codeChallengeMethod === 'S256' && /^[\w.~-]{43,128}$/.test(verifier) && hash('sha256', verifier, 'base64url') === codeChallenge
}

/** Scopes that the engine grants to an application as they are. */
const isOfClients = (scope: string) => scope !== 'offline_access' && (Object.hasOwn(staticScopes, scope) || isDynamicScope(scope))
