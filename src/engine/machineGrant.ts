import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { Settings } from '#src/domain/applications/application.ts'
import { errors, stateOf } from './internals.ts'
import { isDynamicScope, staticScopes } from './scopes.ts'

/** Machine users get a token of their own; applications what the engine gives them. */
export function installMachineGrant(provider: Provider, settings: () => Settings, now: Clock): void {
  const { grantTypeHandlers } = stateOf(provider)
  const original = grantTypeHandlers.get('client_credentials')
  if (!original) throw new TypeError('oidc-provider has no handler for client_credentials')
  grantTypeHandlers.set('client_credentials', (ctx) =>
    ctx.oidc.client?.machine_user_id === undefined ? original(ctx) : issueMachineToken(ctx, provider, settings(), now),
  )
}

/**
 * Client credentials of a machine user (ZITADEL's service users): unlike an application's, the token is the user's own, so userinfo and the
 * APIs know whom it speaks for.
 */
async function issueMachineToken(ctx: KoaContextWithOIDC, provider: Provider, settings: Settings, now: Clock): Promise<void> {
  const { client, params } = ctx.oidc
  const accountId = client?.machine_user_id
  if (!client || typeof accountId !== 'string') throw new errors.InvalidClient('not a machine user')
  const asked = typeof params?.scope === 'string' ? params.scope.split(' ').filter(Boolean) : []
  const scope = asked.filter((each) => each !== 'offline_access' && (Object.hasOwn(staticScopes, each) || isDynamicScope(each))).join(' ')
  const grant = new provider.Grant({ accountId, clientId: client.clientId })
  if (scope) grant.addOIDCScope(scope)
  grant.exp = epochSeconds(now()) + settings.accessTokenTtlSeconds + 60
  const grantId = await grant.save()
  const token = new provider.AccessToken({ accountId, client, grantId, gty: 'client_credentials', scope: scope || undefined } as never)
  ctx.oidc.entity('AccessToken', token)
  const value = await token.save()
  ctx.body = { access_token: value, expires_in: token.expiration, scope: token.scope || undefined, token_type: token.tokenType }
}
