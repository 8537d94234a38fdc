import type { Account as EngineAccount, KoaContextWithOIDC } from 'oidc-provider'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isActive, type User, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import {
  type Append,
  addedNames,
  appServicesClaims,
  type ClaimSources,
  type Claims,
  type CustomDataOfUser,
  roleClaims,
  userinfoClaims,
  withMetadata,
} from './claims.ts'
import { customDataScope, metadataScope, readScope, type ScopeRequest } from './scopes.ts'
import { subjectOf } from './subjects.ts'

type Account = Pick<ClaimSources, 'user' | 'metadata' | 'customData'>

export interface FindsAccounts extends Pick<Users, 'find' | 'findWithMetadataText'> {
  /** The document that an application keeps of a user, if there is one. */
  readonly customDataOf: (user: User) => Promise<CustomDataOfUser | undefined>
}

/** The account behind a session, code or token, as the engine has it, with its user. */
export interface AccountOfUser extends EngineAccount {
  readonly user: User
}

/** A user, with the metadata if the scope gives it: one read either way. Custom user data is a further one. */
export async function findAccount(users: FindsAccounts, id: UserId, { scopes }: ScopeRequest): Promise<Account | undefined> {
  const user = scopes.has(metadataScope) ? undefined : await users.find(id)
  const account = scopes.has(metadataScope) ? await users.findWithMetadataText(id) : user && { user }
  if (!account || !scopes.has(customDataScope)) return account
  const customData = await users.customDataOf(account.user)
  return customData ? { ...account, customData } : account
}

/** What an ID token says of the user when nobody asked for claims by name: userinfo (but metadata), or the roles, as the application has it set. */
export function idTokenClaims(sources: ClaimSources, request: ScopeRequest): Claims & { sub: string } {
  const { user, view, root, appended } = sources
  const { idTokenUserinfoAssertion, idTokenRoleAssertion } = view?.application ?? {}
  if (idTokenUserinfoAssertion) return { ...userinfoClaims(sources, request), ...appServicesClaims(sources, request, { inToken: true }) }
  const roles = idTokenRoleAssertion && roleClaims(sources, request)
  return { ...appended, sub: subjectOf(user.id, view?.application, root.organization), ...roles }
}

/**
 * Finds the account behind a session, code or token. A user who may not act is not found, whatever they still hold: that is what makes
 * a deactivation take effect at once.
 */
export function createFindAccount({ users, catalogue, append }: { users: FindsAccounts; catalogue: Catalogue; append: Append }) {
  return async function findEngineAccount(ctx: KoaContextWithOIDC, id: string): Promise<AccountOfUser | undefined> {
    const user = await users.find(id as UserId)
    if (!user || !isActive(user)) return undefined
    return {
      accountId: id,
      user,
      async claims(use, scope, requested) {
        const clientId = ctx.oidc.client?.clientId
        const [root, view] = await Promise.all([catalogue.root(), clientId === undefined ? undefined : catalogue.find(clientId)])
        const request = readScope(scope)
        const isIdTokenOnly = ctx.oidc.params?.response_type === 'id_token'
        const customData = request.scopes.has(customDataScope) ? await users.customDataOf(user) : undefined
        const plain = { user, root, view, ...(customData && { customData }) }
        const appending = append('preuserinfo', plain, use === 'id_token' ? {} : userinfoClaims(plain, request))
        const sources = appending ? { ...plain, appended: await appending } : plain
        const named = Object.keys(requested ?? {}).filter((claim) => !claim.startsWith('urn:'))
        const asked = named.length > 0 ? pick(userinfoClaims(sources, { ...request, scopes: standardScopes }), named) : {}
        const said = {
          ...asked,
          ...(use === 'id_token' && !isIdTokenOnly ? idTokenClaims(sources, request) : userinfoClaims(sources, request)),
        }
        const wantsMetadata = use !== 'id_token' || isIdTokenOnly || view?.application.idTokenUserinfoAssertion
        // Most uses of an account ask for no claims, so metadata is read only here.
        const { metadata } = wantsMetadata && request.scopes.has(metadataScope) ? ((await users.findWithMetadataText(user.id)) ?? {}) : {}
        // The engine makes a pairwise subject of it by itself.
        const claims = JSON.parse(withMetadata({ ...said, sub: id }, metadata, request))
        if (appending) claims[addedNames] = Object.keys(await appending)
        return claims
      },
    }
  }
}

/** What the `claims` parameter may name one by one (OpenID Connect Core, section 5.5). */
const standardScopes = new Set(['profile', 'email', 'phone', 'address'])

const pick = (claims: Claims, names: readonly string[]): Claims =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]))
