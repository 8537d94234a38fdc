import type { Account, KoaContextWithOIDC } from 'oidc-provider'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { type Claims, roleClaims, userinfoClaims } from './claims.ts'
import { metadataScope, readScope } from './scopes.ts'

/**
 * Finds the account behind a session, code or token. A user who may not act is not found, whatever they still hold: that is what makes
 * a deactivation take effect at once.
 */
export function createFindAccount({ users, catalogue }: { users: Pick<Users, 'find' | 'findWithMetadata'>; catalogue: Catalogue }) {
  return async function findAccount(ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined> {
    const user = await users.find(id as UserId)
    if (!user || !isActive(user)) return undefined
    return {
      accountId: id,
      async claims(use, scope, requested) {
        const clientId = ctx.oidc.client?.clientId
        const [root, view] = await Promise.all([catalogue.root(), clientId === undefined ? undefined : catalogue.find(clientId)])
        const request = readScope(scope)
        if (use !== 'id_token' || view?.application.idTokenUserinfoAssertion || ctx.oidc.params?.response_type === 'id_token') {
          // Most uses of an account ask for no claims, so metadata is read only here.
          const metadata = request.scopes.has(metadataScope) ? ((await users.findWithMetadata(user.id))?.metadata ?? []) : []
          return { ...userinfoClaims({ user, metadata, root, view }, request), sub: id }
        }
        const sources = { user, metadata: [], root, view }
        const named = Object.keys(requested ?? {}).filter((claim) => !claim.startsWith('urn:'))
        return {
          ...(named.length > 0 && pick(userinfoClaims(sources, { ...request, scopes: standardScopes }), named)),
          ...(view?.application.idTokenRoleAssertion && roleClaims(sources, request)),
          sub: id,
        }
      },
    }
  }
}

/** What the `claims` parameter may name one by one (OpenID Connect Core, section 5.5). */
const standardScopes = new Set(['profile', 'email', 'phone', 'address'])

const pick = (claims: Claims, names: readonly string[]): Claims =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]))
