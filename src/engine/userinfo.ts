import type { Context } from 'koa'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isUsualClient } from '#src/domain/applications/protocol.ts'
import type { TokenRequest } from '#src/domain/sessions/bearer.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { type FindsAccounts, findAccount } from './account.ts'
import { type FindToken, hasHolder } from './bearer.ts'
import { type Append, userinfoClaims, withMetadata } from './claims.ts'
import { errors } from './internals.ts'
import type { Proves } from './proofs.ts'
import { readScope } from './scopes.ts'

export interface UserinfoDeps {
  readonly findToken: FindToken
  readonly proves: Proves
  readonly users: FindsAccounts & Pick<Users, 'findByToken'>
  readonly catalogue: Catalogue
  readonly append: Append
}

type Next = () => Promise<unknown>

const usual = /^(Bearer|DPoP) (\S+)$/

/**
 * The quick way through userinfo (OpenID Connect Core, section 5.3), for the request that nearly all are: GET with a token in the header, bound to a
 * key or not, without an Origin. It answers success only; whatever is unusual or wrong goes to the engine, which takes six times as long and knows
 * what to say. A test holds the two answers against each other.
 */
/** A target of the operator's has interrupted: to ask the engine would call it once more. */
function refusalOf(error: unknown): { readonly status: number; readonly body: object } {
  if (!(error instanceof errors.AccessDenied)) throw error
  return { status: error.status, body: { error: error.error, error_description: error.error_description } }
}

export function createUserinfo({ findToken, proves, users, catalogue, append }: UserinfoDeps) {
  return function userinfo(ctx: Context, next: Next): Promise<unknown> {
    return ctx.req.url === '/oidc/v1/userinfo' && ctx.method === 'GET' ? answer(ctx, next) : next()
  }

  async function answer(ctx: Context, next: Next): Promise<unknown> {
    const { headers, method = '' } = ctx.req
    const [, scheme, value] = usual.exec(headers.authorization ?? '') ?? []
    if (headers.origin !== undefined || !value) return next()
    const request = { scheme: scheme === 'DPoP' ? 'dpop' : 'bearer', method, path: ctx.path, headers } as const
    const claims = await claimsFor(value, request).catch(refusalOf)
    if (!claims) return next()
    ctx.status = typeof claims === 'string' ? 200 : claims.status
    ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8')
    ctx.res.setHeader('Cache-Control', 'no-store')
    ctx.res.setHeader('X-Content-Type-Options', 'nosniff')
    ctx.body = typeof claims === 'string' ? claims : claims.body
  }

  async function claimsFor(value: string, request: TokenRequest): Promise<string | undefined> {
    if (value.startsWith('pat_')) return request.scheme === 'bearer' ? personalClaims(value) : undefined
    const found = await findToken(value)
    if (!found) return undefined
    const { token, grant } = found
    if (token.aud !== undefined || token.claims !== undefined || grant.rejected !== undefined || token.accountId === undefined)
      return undefined
    const granted = new Set(grant.openid?.scope?.split(' '))
    const scope = readScope(token.scope?.split(' ').filter((scope) => granted.has(scope)))
    if (!scope.scopes.has('openid')) return undefined
    const [account, view, root] = await Promise.all([
      findAccount(users, token.accountId as UserId, scope),
      catalogue.find(token.clientId),
      catalogue.root(),
    ])
    if (!account || !isActive(account.user) || !hasHolder(token.clientId, view, account.user)) return undefined
    if (view && !isUsualClient(view.application)) return undefined
    // Last: a proof is used up by it, and the engine would not take it again.
    if (!(await proves(token, value, request))) return undefined
    const claims = userinfoClaims({ ...account, root, view }, scope)
    const appended = await append('preuserinfo', { ...account, root, view }, claims)
    return withMetadata(appended ? { ...appended, ...claims } : claims, account.metadata, scope)
  }

  /** A personal access token stands for its user: it gets what the scopes openid, profile and email give. */
  async function personalClaims(value: string): Promise<string | undefined> {
    const [user, root] = await Promise.all([users.findByToken(value), catalogue.root()])
    return user && JSON.stringify(userinfoClaims({ user, root }, readScope('openid profile email')))
  }
}
