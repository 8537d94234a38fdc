import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { Settings } from '#src/domain/applications/application.ts'
import type { ApplicationView, Catalogue } from '#src/domain/applications/catalogue.ts'
import { manages } from '#src/domain/applications/managing.ts'
import type { AccountOfUser } from './account.ts'
import { Provider } from './internals.ts'
import { missingResourceScopes } from './resources.ts'
import { readScope } from './scopes.ts'

/**
 * Whether a token with `scope` opens Dossier's own APIs to an application with all that a manager may do there. That is asked of a manager whoever made the application:
 * otherwise whoever makes applications would get by a link what an administrator may.
 */
function lendsRights(scope: string, view: ApplicationView, account: object, ownProjectId: string): boolean {
  const { user } = account as Partial<AccountOfUser>
  if (view.project.id === ownProjectId || !user || !manages(user, ownProjectId)) return false
  return readScope(scope).projects.some((project) => project === 'zitadel' || project === ownProjectId)
}

/**
 * The grant of this session and application, if there is one. An application of the operator's own is granted what it asks for without a
 * page, but for a manager's rights; the grant is written only when something is missing in it.
 */
export async function firstPartyGrant(ctx: KoaContextWithOIDC, catalogue: Catalogue): Promise<Grant | undefined> {
  const { client, session, result, account, provider } = ctx.oidc
  if (!client || !account) return undefined
  const consented = (result?.consent as { grantId?: string } | undefined)?.grantId
  const grantId = consented ?? session?.grantIdFor(client.clientId)
  const found = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const existing = found?.accountId === account.accountId && found.clientId === client.clientId ? found : undefined
  const view = await catalogue.find(client.clientId)
  if (!view?.application.firstParty) return existing
  const { ownProjectId } = await catalogue.root()
  const grant = existing ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
  const granted = new Set(grant.getOIDCScope().split(' '))
  const claims = new Set(grant.getOIDCClaims())
  const missingScopes = [...ctx.oidc.requestParamOIDCScopes].filter(
    (scope) => !granted.has(scope) && !lendsRights(scope, view, account, ownProjectId),
  )
  const missingClaims = [...ctx.oidc.requestParamClaims].filter((claim) => !claims.has(claim))
  if (missingScopes.length > 0) grant.addOIDCScope(missingScopes.join(' '))
  if (missingClaims.length > 0) grant.addOIDCClaims(missingClaims)
  const resources = missingResourceScopes(ctx, grant)
  for (const [indicator, scope] of resources) grant.addResourceScope(indicator, scope)
  if (!existing || missingScopes.length > 0 || missingClaims.length > 0 || resources.length > 0) await grant.save()
  return grant
}

/** Keeps a grant alive for as long as refresh tokens are issued under it, with a write only when half of its time is over. */
export function installGrantProlongation(provider: Provider, settings: () => Settings, now: Clock): void {
  const { save } = provider.RefreshToken.prototype
  Object.assign(provider.RefreshToken.prototype, {
    async save(this: InstanceType<Provider['RefreshToken']> & { client?: object; grantId: string }) {
      const value = await save.call(this)
      const lifetime = settings().refreshTokenTtlSeconds
      const known = Provider.ctx?.oidc?.entities.Grant
      const grant = known?.jti === this.grantId ? known : await provider.Grant.find(this.grantId)
      if (grant?.exp !== undefined && grant.exp - epochSeconds(now()) < lifetime + settings().accessTokenTtlSeconds) {
        grant.exp = epochSeconds(now()) + 2 * lifetime
        await grant.save()
      }
      return value
    },
  })
}
