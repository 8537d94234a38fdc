/**
 * ID tokens, in two ways: as the engine makes them, with what it has no option for; and made here, for the quick ways beside the engine. Either
 * has ZITADEL's audience (the whole project) with `azp`, `client_id`, and `at_hash` in the code flow too (relying-parties.md).
 */
import { hash } from 'node:crypto'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { SigningAlgorithm } from '#src/domain/applications/application.ts'
import type { ApplicationView, Catalogue } from '#src/domain/applications/catalogue.ts'
import { idTokenClaims } from './account.ts'
import { type ClaimSources, withMetadata } from './claims.ts'
import type { Keyring } from './keyring.ts'
import type { ScopeRequest } from './scopes.ts'

type IdToken = InstanceType<Provider['IdToken']> & {
  ctx?: KoaContextWithOIDC
  client: { clientId: string }
  payload(): Promise<Record<string, unknown>>
  set(key: string, value: unknown): void
}

export interface IdTokensDeps {
  readonly provider: Provider
  readonly catalogue: Pick<Catalogue, 'find'>
  readonly idTokenTtlSeconds: () => number
  /** The text of the access token that was issued in this request. */
  readonly issuedIn: (ctx: KoaContextWithOIDC) => string | undefined
  readonly now: Clock
}

/** Completes the ID tokens that the engine makes. */
export function installIdTokens({ provider, catalogue, idTokenTtlSeconds, issuedIn, now }: IdTokensDeps): void {
  const { issue } = provider.IdToken.prototype
  Object.assign(provider.IdToken.prototype, {
    async issue(this: IdToken, options: { use: string }) {
      if (options.use !== 'idtoken') return issue.call(this, options as never)
      const { clientId } = this.client
      const view = await catalogue.find(clientId)
      this.set('azp', clientId)
      this.set('client_id', clientId)
      const accessToken = this.ctx && issuedIn(this.ctx)
      if (accessToken !== undefined) this.set('at_hash', accessToken)
      const payload = await this.payload()
      if (!view) return issue.call(this, options as never)
      const skew = view.application.clockSkewSeconds
      const iat = epochSeconds(now())
      if (typeof payload.auth_time === 'number') payload.auth_time -= skew
      payload.iat = iat - skew
      // The audience is the client id of `this.client`; the payload is made first, while the client is still the real one.
      const audience = idTokenAudience(view)
      this.payload = async () => payload
      this.client = Object.create(this.client, { clientId: { value: audience } })
      return issue.call(this, { ...options, expiresAt: iat + idTokenTtlSeconds() + skew } as never)
    },
  })
}

/** The application, or all of its project, itself first. */
function idTokenAudience({ application, siblingClientIds, project }: ApplicationView): string | readonly string[] {
  if (application.audience === 'client') return application.clientId
  return [...new Set([application.clientId, ...siblingClientIds, project.id])]
}

/** How somebody signed in, as a code or a refresh token remembers it. */
export interface SignInFacts {
  readonly authTime?: number
  readonly amr?: readonly string[]
  readonly nonce?: string
  readonly sid?: string
}

interface IdTokenRequest {
  readonly sources: ClaimSources & { readonly view: ApplicationView }
  readonly scope: ScopeRequest
  readonly facts: SignInFacts
  /** The access token beside it, as the client gets it. */
  readonly accessToken: string
}

export type SignIdToken = (request: IdTokenRequest) => Promise<string> | string

/** Makes ID tokens of the code flow without the engine. A test holds them against those that the engine makes. */
export function createSignIdToken({ issuer, keyring, now }: { issuer: string; keyring: Pick<Keyring, 'sign'>; now: Clock }): SignIdToken {
  return function signIdToken({ sources, scope, facts, accessToken }) {
    const { application } = sources.view
    const { clientId, clockSkewSeconds: skew, idTokenSignedResponseAlg: algorithm } = application
    const iat = epochSeconds(now())
    const payload = {
      ...idTokenClaims(sources, scope),
      auth_time: facts.authTime === undefined ? undefined : facts.authTime - skew,
      amr: facts.amr,
      nonce: facts.nonce,
      sid: facts.sid,
      azp: clientId,
      client_id: clientId,
      at_hash: leftHalfOfHash(accessToken, algorithm),
      aud: idTokenAudience(sources.view),
      exp: iat + sources.root.settings.idTokenTtlSeconds + skew,
      iat: iat - skew,
      iss: issuer,
    }
    const { idTokenUserinfoAssertion } = application
    return keyring.sign(algorithm, idTokenUserinfoAssertion ? withMetadata(payload, sources.metadata, scope) : JSON.stringify(payload))
  }
}

/** `at_hash` (OpenID Connect Core, section 3.1.3.6). */
function leftHalfOfHash(text: string, algorithm: SigningAlgorithm): string {
  const digest = hash(algorithm === 'EdDSA' ? 'sha512' : 'sha256', text, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
