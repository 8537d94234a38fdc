/**
 * Access tokens: opaque ones as the engine makes them, and JWTs (RFC 9068) for the applications that ask for them. A JWT is stored like
 * an opaque token, under an id that only we can form, so that userinfo, introspection, revocation and the metadata API take it too and
 * a revoked one stops working at once. What is stored under that id cannot be presented as a token by itself.
 */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { randomText } from '#src/base/ids.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { type FindsAccounts, findAccount } from './account.ts'
import { audienceOf } from './audience.ts'
import { type Act, type Origin, originHolds, type TokensDeps } from './bearer.ts'
import { appServicesClaims, type ClaimSources, reservedClaims, roleClaims, withMetadata } from './claims.ts'
import type { Keyring } from './keyring.ts'
import { readScope, type ScopeRequest } from './scopes.ts'
import { subjectOf } from './subjects.ts'

const jwtPrefix = 'jwt-'

/** The id under which a presented token would be stored; `undefined` for what cannot be one of ours. */
export type StoredIdOf = (value: string) => string | undefined | Promise<string | undefined>

export interface AccessTokensDeps {
  readonly provider: Provider
  readonly artifacts: TokensDeps['artifacts']
  readonly catalogue: Catalogue
  readonly users: FindsAccounts
  readonly keyring: Keyring
  readonly signJwt: SignAccessToken
  readonly now: Clock
}

/** What the engine keeps of an access token, as far as its JWT says it. */
interface AccessTokenFacts {
  readonly jti: string
  readonly exp: number
  readonly iat: number
  readonly clientId: string
  readonly accountId?: string
  readonly scope?: string
  /** The API that it is for (RFC 8707). */
  readonly aud?: string
  readonly act?: Act
}

/** Where the claims come from: `user` and `metadata` are absent for an application's own token. */
type AccessTokenSources = Pick<ClaimSources, 'root' | 'view'> & Partial<ClaimSources>

export type SignAccessToken = (token: AccessTokenFacts, request: ScopeRequest, sources: AccessTokenSources) => Promise<string> | string

/** Makes the JWT (RFC 9068) of an access token. */
export function createSignAccessToken({ issuer, keyring }: { issuer: string; keyring: Pick<Keyring, 'sign'> }): SignAccessToken {
  return function signAccessToken(token, request, { user, metadata, customData, root, view, appended }) {
    const sources = user && { user, root, view, ...(customData && { customData }) }
    const skew = view?.application.clockSkewSeconds ?? 0
    const payload = {
      ...appended,
      ...(sources && reservedClaims(sources, request)),
      ...(sources && appServicesClaims(sources, request, { inToken: true })),
      ...(sources && view?.application.accessTokenRoleAssertion && roleClaims(sources, request)),
      iss: issuer,
      sub: token.accountId === undefined ? token.clientId : subjectOf(token.accountId, view?.application, root.organization),
      aud: token.aud ?? audienceOf(token.clientId, view, request, root.ownProjectId),
      exp: token.exp + skew,
      iat: token.iat - skew,
      nbf: token.iat - skew,
      jti: publicTokenId(token.jti),
      client_id: token.clientId,
      scope: token.scope,
      act: token.act,
    }
    return keyring.sign(view?.application.idTokenSignedResponseAlg ?? 'RS256', withMetadata(payload, metadata, request), 'at+jwt')
  }
}

type Token = InstanceType<Provider['AccessToken']> & {
  aud?: string
  jti: string
  exp: number
  iat: number
  scope?: string
  accountId?: string
  clientId: string
}

/** Teaches the engine's two kinds of access token the JWT form. Answers how to read the text of a token that was issued in a request. */
export function installAccessTokens({ provider, artifacts, catalogue, users, keyring, signJwt, now }: AccessTokensDeps) {
  const issued = new WeakMap<object, string>()

  async function jwtOf(token: Token): Promise<string> {
    const request = readScope(token.scope)
    const [view, root, account] = await Promise.all([
      catalogue.find(token.clientId),
      catalogue.root(),
      token.accountId === undefined ? undefined : findAccount(users, token.accountId as UserId, request),
    ])
    return signJwt(token, request, { root, view, ...account })
  }

  const storedIdOf: StoredIdOf = (value) => {
    if (value.startsWith(jwtPrefix)) return undefined
    return value.includes('.') ? storedIdOfJwt(value) : value
  }

  async function storedIdOfJwt(jwt: string): Promise<string | undefined> {
    const payload = await keyring.verify(jwt, provider.issuer, 'at+jwt')
    return typeof payload?.jti === 'string' ? jwtPrefix + payload.jti : undefined
  }

  for (const Model of [provider.AccessToken, provider.ClientCredentials] as unknown as (typeof provider.AccessToken)[]) {
    const { save } = Model.prototype as unknown as { save(): Promise<string> }
    const find = Model.find.bind(Model)
    Object.assign(Model.prototype, {
      generateTokenId(this: Token) {
        // What the engine's own would set; the types call it read-only.
        Object.assign(this, { format: 'opaque' })
        const isJwt = this.client?.access_token_type === 'jwt'
        return newAccessTokenId(now(), isJwt)
      },
      async save(this: Token) {
        // The engine fills these into what it stores, not into the token at hand.
        this.iat ??= epochSeconds(now())
        this.exp ??= this.iat + this.expiration
        const value = await save.call(this)
        const text = this.jti.startsWith(jwtPrefix) ? await jwtOf(this) : value
        issued.set(this, text)
        return text
      },
    })
    Object.assign(Model, {
      async find(value: unknown, options?: object) {
        const id = typeof value === 'string' ? await storedIdOf(value) : undefined
        const token = id === undefined ? undefined : await find(id, options as never)
        const { origin } = (token ?? {}) as { origin?: Origin }
        return origin === undefined || (await originHolds(origin, { artifacts, now })) ? token : undefined
      },
    })
    // The engine forgets of what is stored whatever is not listed here.
    const fields = [...(Model as unknown as { IN_PAYLOAD: readonly string[] }).IN_PAYLOAD, 'origin']
    Object.defineProperty(Model, 'IN_PAYLOAD', { get: () => fields })
  }

  return {
    storedIdOf,
    /** The text of the access token that `ctx` has just issued, for `at_hash`. */
    issuedIn: (ctx: KoaContextWithOIDC): string | undefined => {
      const token = ctx.oidc.entities.AccessToken
      return token && issued.get(token)
    },
  }
}

/** What a client sees of a stored id: the `jti` of its JWT. */
export const publicTokenId = (id: string) => (id.startsWith(jwtPrefix) ? id.slice(jwtPrefix.length) : id)

/** The id under which a new access token is stored; of an opaque one it is also what the client gets. */
export const newAccessTokenId = (now: Date, isJwt: boolean) => (isJwt ? jwtPrefix : '') + newTokenId(now)

/** 256 random bits behind the time: ids that are made together stand together in an index, which a random one never does. */
export function newTokenId(now: Date): string {
  // Hexadecimal time keeps the order of numbers as text; base64url would not.
  return now.getTime().toString(16).padStart(12, '0') + randomText(32)
}
