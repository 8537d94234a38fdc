/**
 * Token exchange (RFC 8693): an application turns a token that is meant for it into one of its own, for the same user and for no more; or somebody who
 * was granted the right acts for another user, which the new token says (`act`) and the audit trail keeps.
 */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { isObjectId } from '#src/base/ids.ts'
import type { ApplicationView, Catalogue } from '#src/domain/applications/catalogue.ts'
import { grantedIn } from '#src/domain/applications/heldRoles.ts'
import { mayImpersonate } from '#src/domain/applications/ownRoles.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import { isActive, type User, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { newAccessTokenId, newTokenId, type SignAccessToken } from './accessTokens.ts'
import { type FindsAccounts, findAccount } from './account.ts'
import { artifactOf } from './artifacts.ts'
import { audienceOf } from './audience.ts'
import { type Act, type FindToken, hasHolder, isBound, type Origin, type StoredToken } from './bearer.ts'
import { errors } from './internals.ts'
import { isDynamicScope, readScope, staticScopes } from './scopes.ts'

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
/** ZITADEL's way to name somebody of whom there is no token. */
const userIdType = 'urn:zitadel:params:oauth:token-type:user_id'

/** An exchanged token outlives neither what it was made from nor this. */
const longestSeconds = 3600

export interface TokenExchangeDeps {
  readonly provider: Provider
  readonly artifacts: Pick<ArtifactStore, 'put'>
  readonly catalogue: Catalogue
  readonly users: FindsAccounts & Pick<Users, 'find'>
  readonly findToken: FindToken
  readonly signAccessToken: SignAccessToken
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  readonly now: Clock
}

/** Whom the new token is for, what it may be for at most, and until when. */
interface Subject {
  readonly user: User
  readonly scopes: (scope: string) => boolean
  readonly defaultScope: string
  readonly exp: number
  readonly act?: Act
  /** Absent when there is no token that the new one could end with. */
  readonly origin?: Origin
}

const parameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'scope',
  'audience',
  'resource',
]

/** Teaches the engine's token endpoint the grant, which has client authentication and errors from there. */
export function installTokenExchange(deps: TokenExchangeDeps): void {
  const { provider, artifacts, catalogue, users, findToken, signAccessToken, audit, recorder, now } = deps

  /** The token behind a parameter, if it is one of a user that whoever sends it may use here. */
  async function tokenOf(name: 'subject_token' | 'actor_token', params: Params, isMeantForUs: (audience: readonly string[]) => boolean) {
    const found = await findToken(params[name] ?? '')
    const token = found?.token
    const user = token?.accountId === undefined ? undefined : await users.find(token.accountId as UserId)
    if (!token || !user || !isActive(user))
      throw new errors.InvalidGrant(`${name}: it is unknown, expired or revoked, or its user may not act`)
    if (isBound(token)) throw new errors.InvalidGrant(`${name}: it is bound to a key, which cannot be proved here`)
    const [view, root] = await Promise.all([catalogue.find(token.clientId), catalogue.root()])
    if (!hasHolder(token.clientId, view, user))
      throw new errors.InvalidGrant(`${name}: the application that it was issued to is gone or deactivated`)
    const audience = token.aud === undefined ? audienceOf(token.clientId, view, readScope(token.scope), root.ownProjectId) : [token.aud]
    if (!isMeantForUs(audience)) throw new errors.InvalidGrant(`${name}: it is not meant for this application`)
    return { token, user }
  }

  async function subjectOf(params: Params, clientId: string): Promise<Subject> {
    const { subject_token: value, subject_token_type: type } = params
    if (value === undefined || type === undefined)
      throw new errors.InvalidRequest("missing required parameter 'subject_token' or 'subject_token_type'")
    if (type === userIdType) {
      if (params.actor_token === undefined) throw new errors.InvalidRequest('actor_token: it is needed to act for a user by id')
      const user = isObjectId(value) ? await users.find(value as UserId) : undefined
      if (!user || !isActive(user)) throw new errors.InvalidGrant('subject_token: there is no active user of this id')
      const scopes = (scope: string) => scope !== 'offline_access' && (Object.hasOwn(staticScopes, scope) || isDynamicScope(scope))
      return { user, scopes, defaultScope: 'openid', exp: Number.POSITIVE_INFINITY }
    }
    if (type !== accessTokenType && type !== jwtType) {
      throw new errors.InvalidRequest(`subject_token_type: it must be ${accessTokenType}, ${jwtType} or ${userIdType}`)
    }
    const { token, user } = await tokenOf('subject_token', params, (audience) => audience.includes(clientId))
    const held = new Set(token.scope?.split(' '))
    held.delete('offline_access')
    return {
      user,
      scopes: (scope) => held.has(scope),
      defaultScope: [...held].join(' '),
      exp: token.exp ?? Number.POSITIVE_INFINITY,
      act: token.act,
      origin: token.origin ?? originOf(token),
    }
  }

  /** Who acts for the subject, if somebody else does: only whom a role of Dossier's own project allows it. */
  async function actorOf(params: Params, clientId: string, subject: User): Promise<{ user: User; exp?: number; act: Act } | undefined> {
    if (params.actor_token === undefined) return undefined
    if (params.actor_token_type !== accessTokenType && params.actor_token_type !== jwtType) {
      throw new errors.InvalidRequest(`actor_token_type: it must be ${accessTokenType} or ${jwtType}`)
    }
    const { ownProjectId } = await catalogue.root()
    const { token, user } = await tokenOf(
      'actor_token',
      params,
      (audience) => audience.includes(clientId) || audience.includes(ownProjectId),
    )
    const isAdministrator = subject.admin || (subject.roles[ownProjectId] ?? []).length > 0
    if (!mayImpersonate(grantedIn(user, ownProjectId), isAdministrator)) {
      throw new errors.InvalidGrant('actor_token: its user was not granted the right to act for this user')
    }
    return { user, exp: token.exp, act: { sub: user.id, ...(token.act && { act: token.act }) } }
  }

  async function exchange(ctx: KoaContextWithOIDC): Promise<void> {
    const params = paramsOf(ctx)
    const clientId = ctx.oidc.client?.clientId as string
    if (params.audience !== undefined || params.resource !== undefined) {
      throw new errors.InvalidTarget('audience, resource: the token is always for the application that asks')
    }
    const wanted = params.requested_token_type ?? accessTokenType
    if (wanted !== accessTokenType && wanted !== jwtType) {
      throw new errors.InvalidRequest(`requested_token_type: it must be ${accessTokenType} or ${jwtType}`)
    }
    const [root, view, subject] = await Promise.all([catalogue.root(), catalogue.find(clientId), subjectOf(params, clientId)])
    if (!view) throw new errors.InvalidClient('not an application')
    const actor = await actorOf(params, clientId, subject.user)
    const scope = (params.scope ?? subject.defaultScope).split(' ').filter(Boolean)
    const beyond = scope.find((each) => !subject.scopes(each))
    if (beyond !== undefined) throw new errors.InvalidScope('requested scope is not in the subject token', beyond)

    const at = now()
    const iat = epochSeconds(at)
    const exp = Math.min(
      iat + root.settings.accessTokenTtlSeconds,
      iat + longestSeconds,
      subject.exp,
      actor?.exp ?? Number.POSITIVE_INFINITY,
    )
    const accountId = subject.user.id
    if (actor) {
      const payload = { clientId, actorId: actor.user.id, scope: scope.join(' ') }
      await audit.record([
        recorder.event('user.impersonated', { kind: 'user', id: actor.user.id }, { kind: 'user', id: accountId }, payload),
      ])
    }
    const isJwt = wanted === jwtType || view.application.accessTokenType === 'jwt'
    const grant = { iat, exp, kind: 'Grant', jti: newTokenId(at), accountId, clientId, openid: { scope: scope.join(' ') } }
    const token: StoredToken & { iat: number; exp: number } = {
      iat,
      exp,
      kind: 'AccessToken',
      jti: newAccessTokenId(at, isJwt),
      accountId,
      clientId,
      grantId: grant.jti,
      scope: scope.join(' '),
      act: actor?.act ?? subject.act,
      origin: subject.origin,
    }
    await Promise.all([
      artifacts.put(artifactOf('Grant', grant.jti, grant, exp - iat, at)),
      artifacts.put(artifactOf('AccessToken', token.jti, token, exp - iat, at)),
    ])
    ctx.body = {
      access_token: isJwt ? await jwtOf(token, view) : token.jti,
      issued_token_type: isJwt ? jwtType : accessTokenType,
      token_type: 'Bearer',
      expires_in: exp - iat,
      scope: token.scope,
    }
  }

  async function jwtOf(token: StoredToken & { iat: number; exp: number }, view: ApplicationView): Promise<string> {
    const request = readScope(token.scope)
    const [root, account] = await Promise.all([catalogue.root(), findAccount(users, token.accountId as UserId, request)])
    return signAccessToken(token, request, { root, view, ...account })
  }

  provider.registerGrantType(tokenExchange, exchange, parameters, ['audience', 'resource'])
}

const originOf = ({ clientId, accountId, grantId, expiresWithSession, sessionUid }: StoredToken): Origin => ({
  clientId,
  accountId,
  grantId,
  expiresWithSession,
  sessionUid,
})

type Params = Readonly<Partial<Record<(typeof parameters)[number], string>>>

const paramsOf = (ctx: KoaContextWithOIDC): Params =>
  Object.fromEntries(parameters.map((name) => [name, ctx.oidc.params?.[name] === undefined ? undefined : String(ctx.oidc.params[name])]))
