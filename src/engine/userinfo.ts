import type { Context } from 'koa'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isUsualClient } from '#src/domain/applications/protocol.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { type FindsAccounts, findAccount } from './account.ts'
import { type FindToken, isBound } from './bearer.ts'
import { userinfoClaims, withMetadata } from './claims.ts'
import { readScope } from './scopes.ts'

export interface UserinfoDeps {
  readonly findToken: FindToken
  readonly users: FindsAccounts & Pick<Users, 'findByToken'>
  readonly catalogue: Catalogue
}

type Next = () => Promise<unknown>

/**
 * The quick way through userinfo (OpenID Connect Core, section 5.3), for the request that nearly all are: GET with a bearer token in the
 * header, without an Origin. It answers success only; whatever is unusual or wrong goes to the engine, which takes six times as long and knows
 * what to say. A test holds the two answers against each other.
 */
export function createUserinfo({ findToken, users, catalogue }: UserinfoDeps) {
  return function userinfo(ctx: Context, next: Next): Promise<unknown> {
    return ctx.req.url === '/oidc/v1/userinfo' && ctx.method === 'GET' ? answer(ctx, next) : next()
  }

  async function answer(ctx: Context, next: Next): Promise<unknown> {
    const { authorization, origin, dpop } = ctx.req.headers
    if (origin !== undefined || dpop !== undefined || !authorization?.startsWith('Bearer ')) return next()
    const claims = await claimsFor(authorization.slice('Bearer '.length))
    if (!claims) return next()
    ctx.status = 200
    ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8')
    ctx.res.setHeader('Cache-Control', 'no-store')
    ctx.res.setHeader('X-Content-Type-Options', 'nosniff')
    ctx.body = claims
  }

  async function claimsFor(value: string): Promise<string | undefined> {
    if (value.startsWith('pat_')) return personalClaims(value)
    const found = await findToken(value)
    if (!found) return undefined
    const { token, grant } = found
    if (
      isBound(token) ||
      token.aud !== undefined ||
      token.claims !== undefined ||
      grant.rejected !== undefined ||
      token.accountId === undefined
    )
      return undefined
    const granted = new Set(grant.openid?.scope?.split(' '))
    const request = readScope(token.scope?.split(' ').filter((scope) => granted.has(scope)))
    if (!request.scopes.has('openid')) return undefined
    const [account, view, root] = await Promise.all([
      findAccount(users, token.accountId as UserId, request),
      catalogue.find(token.clientId),
      catalogue.root(),
    ])
    if (!account || !isActive(account.user)) return undefined
    if (view && !(view.application.active && isUsualClient(view.application))) return undefined
    return withMetadata(userinfoClaims({ ...account, root, view }, request), account.metadata, request)
  }

  /** A personal access token stands for its user: it gets what the scopes openid, profile and email give. */
  async function personalClaims(value: string): Promise<string | undefined> {
    const [user, root] = await Promise.all([users.findByToken(value), catalogue.root()])
    return user && JSON.stringify(userinfoClaims({ user, root }, readScope('openid profile email')))
  }
}
