/**
 * Bearer tokens for everything that is not the engine: the APIs and the quick way through userinfo. The rules are those of the engine's own
 * userinfo endpoint; the token, its grant and its session come in one read.
 */
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { ApplicationView, Catalogue } from '#src/domain/applications/catalogue.ts'
import { ProofNotAccepted, type VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { ArtifactStore, FoundArtifact, FoundToken } from '#src/domain/sessions/store.ts'
import { isActive, type User, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { StoredIdOf } from './accessTokens.ts'
import { audienceOf } from './audience.ts'
import { originsOf } from './origins.ts'
import type { Proves } from './proofs.ts'
import { readScope } from './scopes.ts'

/** Who acts for the user of a token (RFC 8693, section 4.1). */
export interface Act {
  readonly sub: string
  readonly act?: Act
}

/** What is kept of an access token. */
export interface StoredToken {
  readonly kind: string
  readonly jti: string
  readonly clientId: string
  readonly accountId?: string
  readonly grantId?: string
  readonly scope?: string
  readonly exp?: number
  readonly iat?: number
  /** Claims that the `claims` parameter asked for. */
  readonly claims?: object
  /** Set when the token is for another resource server. */
  readonly aud?: string
  /** Ours: somebody acts for the user. */
  readonly act?: Act
  /** Ours: what an exchanged token was made from. It ends with that one's grant and session. */
  readonly origin?: Origin
  readonly expiresWithSession?: boolean
  readonly sessionUid?: string
  readonly sid?: string
  readonly jkt?: string
  readonly 'x5t#S256'?: string
}

/** The token that another one was exchanged for, as far as both end together. */
export type Origin = Pick<StoredToken, 'clientId' | 'accountId' | 'grantId' | 'expiresWithSession' | 'sessionUid'>

/** What the engine keeps of a grant. */
export interface StoredGrant {
  readonly accountId?: string
  readonly clientId?: string
  readonly exp?: number
  readonly openid?: { readonly scope?: string }
  readonly rejected?: object
}

interface StoredSession {
  readonly accountId?: string
  readonly exp?: number
  readonly authorizations?: Readonly<Record<string, { readonly grantId?: string }>>
}

export interface TokensDeps {
  readonly artifacts: Pick<ArtifactStore, 'findToken' | 'find' | 'findByUid'>
  readonly storedIdOf: StoredIdOf
  readonly now: Clock
}

export interface HeldToken<Token extends StoredToken = StoredToken> {
  readonly token: Token
  readonly grant: StoredGrant
  /** It was used up: a code that was exchanged, a refresh token that was rotated. */
  readonly isConsumed: boolean
}

export type FindToken = (value: string) => Promise<HeldToken | undefined>

/** Finds the access token of a user that holds by itself: known, not expired, its grant and session still there. Says nothing of the user. */
export function createFindToken({ artifacts, storedIdOf, now }: TokensDeps): FindToken {
  return async function findToken(value) {
    const id = await storedIdOf(value)
    const held = id === undefined ? undefined : holding(await artifacts.findToken('AccessToken', id), now())
    return held?.token.origin === undefined || (await originHolds(held.token.origin, { artifacts, now })) ? held : undefined
  }
}

/** Whether the grant of `origin` is still there, and the session that it ends with. */
export async function originHolds(origin: Origin, { artifacts, now }: Pick<TokensDeps, 'artifacts' | 'now'>): Promise<boolean> {
  const { grantId, clientId, accountId, expiresWithSession, sessionUid } = origin
  const [grant, session] = await Promise.all([
    grantId === undefined ? undefined : artifacts.find('Grant', grantId),
    expiresWithSession && sessionUid !== undefined ? artifacts.findByUid('Session', sessionUid) : undefined,
  ])
  const at = epochSeconds(now())
  const found = grant?.payload as StoredGrant | undefined
  if (!found || isOver(found, at) || found.accountId !== accountId || found.clientId !== clientId) return false
  return !expiresWithSession || sessionHolds(session, origin, at)
}

/** What was found, if it holds by itself at `now`. */
export function holding<Token extends StoredToken>(found: FoundToken | undefined, now: Date): HeldToken<Token> | undefined {
  if (!found?.grant) return undefined
  const at = epochSeconds(now)
  const token = payloadOf<Token>(found.token)
  const grant = payloadOf<StoredGrant>(found.grant)
  if (isOver(token, at) || isOver(grant, at) || grant.accountId !== token.accountId || grant.clientId !== token.clientId) return undefined
  if (token.expiresWithSession && !sessionHolds(found.session, token, at)) return undefined
  return { token, grant, isConsumed: found.token.consumedAt !== undefined }
}

export const isOver = ({ exp }: { readonly exp?: number }, at: number) => exp !== undefined && exp <= at

function sessionHolds(found: FoundArtifact | undefined, token: Origin, at: number): boolean {
  const session = found?.payload as StoredSession | undefined
  if (!session || isOver(session, at) || session.accountId !== token.accountId) return false
  const authorizations = session.authorizations ?? {}
  return Object.hasOwn(authorizations, token.clientId) && authorizations[token.clientId]?.grantId === token.grantId
}

/**
 * Whether a token's holder is still there: the application that it was issued to, switched on, or the machine user whose own it is, which no
 * application stands behind. An application that was removed takes its tokens along.
 */
export const hasHolder = (clientId: string, view: ApplicationView | undefined, user: User | undefined) =>
  view ? view.application.active : user?.username === clientId

/** A token that is bound to a key or a certificate is no bearer token. */
export const isBound = (token: StoredToken) => token.jkt !== undefined || token['x5t#S256'] !== undefined

export interface BearerDeps extends TokensDeps {
  readonly proves: Proves
  readonly findToken: FindToken
  readonly catalogue: Catalogue
  readonly users: Pick<Users, 'find' | 'findByToken'>
}

/** Judges tokens for the APIs: of users, of applications, and personal ones. */
export function createVerifyBearer({ findToken, proves, artifacts, storedIdOf, catalogue, users, now }: BearerDeps): VerifyBearer {
  return async function verifyBearer(value, request) {
    const root = await catalogue.root()
    if (value.startsWith('pat_')) {
      if (request.scheme !== 'bearer') return undefined
      const user = await users.findByToken(value)
      return user && { user, scopes: new Set(['openid', 'profile', 'email']), audience: new Set([user.username, root.ownProjectId]) }
    }
    const found = await findToken(value)
    const token = found?.token ?? (await applicationToken(value))
    if (!token) return undefined
    if (!(await proves(token, value, request))) {
      if (token.jkt !== undefined && request.scheme === 'dpop') throw new ProofNotAccepted()
      return undefined
    }
    const [view, user] = await Promise.all([
      catalogue.find(token.clientId),
      token.accountId === undefined ? undefined : users.find(token.accountId as UserId),
    ])
    if (token.accountId !== undefined && !(user && isActive(user))) return undefined
    if (!hasHolder(token.clientId, view, user)) return undefined
    const scope = readScope(token.scope)
    const audience = new Set(token.aud === undefined ? audienceOf(token.clientId, view, scope, root.ownProjectId) : [token.aud])
    const origins = view && originsOf(view.application)
    return {
      user,
      clientId: token.clientId,
      scopes: scope.scopes,
      audience,
      ...(origins && { origins }),
      ...(token.sessionUid !== undefined && { sessionId: token.sessionUid }),
      ...(token.act && { actorId: token.act.sub }),
    }
  }

  async function applicationToken(value: string): Promise<StoredToken | undefined> {
    const id = await storedIdOf(value)
    const found = id === undefined ? undefined : await artifacts.findToken('ClientCredentials', id)
    const token = found && payloadOf<StoredToken>(found.token)
    return token && !isOver(token, epochSeconds(now())) ? token : undefined
  }
}
