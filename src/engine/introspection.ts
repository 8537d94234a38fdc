/**
 * Introspection (RFC 7662): who a token is for, and the claims of its granted scopes, metadata included.
 *
 * Client authentication is the engine's. Access tokens of users, which nearly all are, are answered from one read of the store; for refresh
 * tokens and tokens of applications the engine's answer is completed.
 */
import type { KoaContextWithOIDC } from 'oidc-provider'
import { isRegistered } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import { publicTokenId } from './accessTokens.ts'
import { type FindsAccounts, findAccount } from './account.ts'
import { audienceOf } from './audience.ts'
import { type FindToken, hasHolder, type StoredToken } from './bearer.ts'
import { type Append, userinfoClaims, withMetadata } from './claims.ts'
import { errors } from './internals.ts'
import { readScope } from './scopes.ts'

export interface IntrospectionDeps {
  readonly issuer: string
  readonly findToken: FindToken
  readonly users: FindsAccounts
  readonly catalogue: Catalogue
  readonly append: Append
}

interface EngineAnswer {
  readonly active?: boolean
  readonly sub?: string
  readonly client_id?: string
  readonly scope?: string
}

const inactive = { active: false }
const inactiveText = JSON.stringify(inactive)

export type Introspect = (value: string, asking: string | undefined) => Promise<string | undefined>

export function createIntrospection({ issuer, findToken, users, catalogue, append }: IntrospectionDeps) {
  const answered = new WeakSet<object>()

  /** What is said of a user's token beside its own facts; `undefined` when the user may not act. */
  async function aboutUser(accountId: string, clientId: string, scope: string | undefined) {
    const request = readScope(scope)
    const [account, view, root] = await Promise.all([
      findAccount(users, accountId as UserId, request),
      catalogue.find(clientId),
      catalogue.root(),
    ])
    if (!account || !isActive(account.user) || !hasHolder(clientId, view, account.user)) return undefined
    const said = userinfoClaims({ ...account, root, view }, request)
    const claims = { ...(await append('preuserinfo', { ...account, root, view }, said)), ...said, username: account.user.username }
    const aud = audienceOf(clientId, view, request, root.ownProjectId)
    /** The answer, with the facts of the token, as JSON. */
    return (facts: object) => withMetadata({ ...claims, aud, ...facts, sub: claims.sub }, account.metadata, request)
  }

  /** What is said of an access token of a user to the application `asking`, which is authenticated; `undefined` when the engine has to say. */
  const introspect: Introspect = async (value, asking) => {
    const found = await findToken(value)
    const token = found?.token
    if (!token || token.accountId === undefined || token.aud !== undefined) return undefined
    if (!(await mayIntrospect(asking, token, catalogue))) return inactiveText
    const about = await aboutUser(token.accountId, token.clientId, token.scope)
    return about?.(factsOf(token, issuer)) ?? inactiveText
  }

  return {
    introspect,

    /** Answers for an access token of a user; `false` when the engine has to. */
    async answer(ctx: KoaContextWithOIDC): Promise<boolean> {
      const { token: value } = ctx.oidc.params ?? {}
      // RFC 7662, section 2.1: nobody learns anything of a token by knowing its text alone.
      if (ctx.oidc.client?.clientAuthMethod === 'none')
        throw new errors.InvalidClientAuth('introspection is for applications that prove who they are')
      if (typeof value !== 'string') return false
      const body = await introspect(value, ctx.oidc.client?.clientId)
      if (body === undefined) return false
      answered.add(ctx)
      ctx.body = JSON.parse(body)
      return true
    },

    /** Completes what the engine has answered. */
    async complete(ctx: KoaContextWithOIDC): Promise<void> {
      const body = ctx.body as EngineAnswer | undefined
      if (answered.has(ctx) || !body?.active || typeof body.client_id !== 'string') return
      const { RefreshToken, ClientCredentials } = ctx.oidc.entities
      if (RefreshToken?.accountId !== undefined) {
        const about = await aboutUser(RefreshToken.accountId, body.client_id, body.scope)
        ctx.body = about ? JSON.parse(about(body)) : inactive
      } else if (ClientCredentials) {
        const [view, root] = await Promise.all([catalogue.find(body.client_id), catalogue.root()])
        const audience = audienceOf(body.client_id, view, readScope(body.scope), root.ownProjectId)
        const facts = { jti: publicTokenId(ClientCredentials.jti), nbf: ClientCredentials.iat, aud: audience, sub: body.client_id }
        ctx.body = view?.application.active ? { ...body, ...facts } : inactive
      }
    },
  }
}

function factsOf(token: StoredToken, issuer: string) {
  const confirmation = { ...(token.jkt && { jkt: token.jkt }), ...(token['x5t#S256'] && { 'x5t#S256': token['x5t#S256'] }) }
  return {
    active: true,
    iss: issuer,
    client_id: token.clientId,
    scope: token.scope,
    token_type: token.jkt ? 'DPoP' : 'Bearer',
    exp: token.exp,
    iat: token.iat,
    nbf: token.iat,
    jti: publicTokenId(token.jti),
    ...(token.sid && { sid: token.sid }),
    ...(token.act && { act: token.act }),
    ...(Object.keys(confirmation).length > 0 && { cnf: confirmation }),
  }
}

/** What decides whom a token is meant for. */
type Meant = Pick<StoredToken, 'clientId' | 'scope' | 'aud'>

/**
 * An application may look at tokens that are meant for it or for its project: its own, those of its project, and those that name the project by a
 * scope. One that registered itself may look at its own only.
 */
export async function mayIntrospect(asking: string | undefined, { clientId, scope, aud }: Meant, catalogue: Catalogue): Promise<boolean> {
  if (asking === undefined) return false
  if (asking === clientId) return true
  const [own, issuedTo, { ownProjectId }] = await Promise.all([catalogue.find(asking), catalogue.find(clientId), catalogue.root()])
  if (!own?.application.active || isRegistered(own.application)) return false
  if (aud !== undefined) return own.application.resourceIndicators?.includes(aud) ?? false
  const audience = audienceOf(clientId, issuedTo, readScope(scope), ownProjectId)
  return audience.includes(asking) || (own.application.audience === 'project' && audience.includes(own.project.id))
}
