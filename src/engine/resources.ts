/** Resource indicators (RFC 8707): APIs among the applications, by the addresses that they go by. */
import type { KoaContextWithOIDC, ResourceServer } from 'oidc-provider'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { errors } from './internals.ts'
import { staticScopes } from './scopes.ts'

/** The scopes that say something about the user to an API. */
const scope = Object.keys(staticScopes)
  .filter((each) => each !== 'openid' && each !== 'offline_access')
  .join(' ')

/** The engine's questions about a `resource` parameter. A token for an API is kept like every other, and may be introspected and revoked. */
export function resourceServers(catalogue: Pick<Catalogue, 'findResource'>) {
  return {
    async getResourceServerInfo(_ctx: KoaContextWithOIDC, indicator: string): Promise<ResourceServer> {
      const api = await catalogue.findResource(indicator)
      if (!api) throw new errors.InvalidTarget(`resource: no API goes by the address ${indicator}`)
      return { scope, audience: indicator, accessTokenFormat: 'opaque' }
    },
  }
}

/** What is asked for of each API and not granted yet. */
export function missingResourceScopes(
  ctx: KoaContextWithOIDC,
  grant: { getResourceScope(indicator: string): string },
): readonly (readonly [string, string])[] {
  const servers = ctx.oidc.resourceServers as unknown as Record<string, { readonly scopes: ReadonlySet<string> }>
  return Object.entries(servers).flatMap(([indicator, { scopes }]) => {
    const granted = new Set(grant.getResourceScope(indicator).split(' '))
    const missing = [...ctx.oidc.requestParamScopes].filter((each) => scopes.has(each) && !granted.has(each))
    return missing.length > 0 ? [[indicator, missing.join(' ')] as const] : []
  })
}
