import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { publicTokenId } from './accessTokens.ts'
import { audienceOf } from './audience.ts'
import { userinfoClaims } from './claims.ts'
import { readScope } from './scopes.ts'

/**
 * Completes the engine's answer to an introspection (RFC 7662): the audience, who it is, and the claims of the granted scopes, metadata
 * included. A token of a user who may not act is not active.
 */
export async function completeIntrospection(
  ctx: KoaContextWithOIDC,
  { users, catalogue }: { users: Pick<Users, 'findWithMetadata'>; catalogue: Catalogue },
) {
  const body = ctx.body as { active?: boolean; sub?: string; client_id?: string; scope?: string; jti?: string } | undefined
  if (!body?.active || typeof body.client_id !== 'string') return
  const { AccessToken, RefreshToken, ClientCredentials } = ctx.oidc.entities
  const accountId = (AccessToken ?? RefreshToken)?.accountId
  const [view, root, account] = await Promise.all([
    catalogue.find(body.client_id),
    catalogue.root(),
    accountId === undefined ? undefined : users.findWithMetadata(accountId as UserId),
  ])
  if ((accountId !== undefined && (!account || !isActive(account.user))) || (ClientCredentials && !view?.application.active)) {
    ctx.body = { active: false }
    return
  }
  const request = readScope(body.scope)
  const token = AccessToken ?? ClientCredentials
  ctx.body = {
    ...(account && userinfoClaims({ ...account, root, view }, request)),
    ...body,
    ...(account && { username: account.user.username }),
    ...(token && { jti: publicTokenId(token.jti), nbf: token.iat, aud: audienceOf(body.client_id, view, request, root.ownProjectId) }),
    sub: body.sub ?? body.client_id,
  }
}
