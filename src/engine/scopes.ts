/** Scopes with their claims. Some scopes carry an argument (ZITADEL's reserved scopes); those are recognised by their form. */
export const metadataScope = 'urn:zitadel:iam:user:metadata'
/** The user's own document, and what identity providers tell of them (App Services). */
export const customDataScope = 'custom_data'
export const providerDataScope = 'user_metadata'
export const resourceOwnerScope = 'urn:zitadel:iam:user:resourceowner'
export const projectsRolesScope = 'urn:zitadel:iam:org:projects:roles'

const rolePrefix = 'urn:zitadel:iam:org:project:role:'
const organizationPrefix = 'urn:zitadel:iam:org:id:'
const audience = /^urn:zitadel:iam:org:project:id:([^:]+):aud$/

/** The claims of each scope without an argument, as the engine wants them. */
export const staticScopes = {
  openid: ['sub', 'auth_time', 'amr', 'sid'],
  profile: ['name', 'given_name', 'family_name', 'nickname', 'preferred_username', 'picture', 'gender', 'locale', 'updated_at'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
  offline_access: [],
  [metadataScope]: [metadataScope],
  [customDataScope]: [customDataScope],
  [providerDataScope]: [providerDataScope],
  [resourceOwnerScope]: [`${resourceOwnerScope}:id`, `${resourceOwnerScope}:name`, `${resourceOwnerScope}:primary_domain`],
  [projectsRolesScope]: [],
} as const satisfies Record<string, readonly string[]>

/** Whether `scope` is one of the reserved scopes that carry an argument. */
export const isDynamicScope = (scope: string) =>
  (scope.startsWith(rolePrefix) && scope.length > rolePrefix.length) ||
  (scope.startsWith(organizationPrefix) && scope.length > organizationPrefix.length) ||
  audience.test(scope)

/** What a granted scope asks for, read once. */
export interface ScopeRequest {
  readonly scopes: ReadonlySet<string>
  /** Role keys asked for one by one. */
  readonly roles: readonly string[]
  /** Project ids, or the literal `zitadel`, that the token shall be meant for too. */
  readonly projects: readonly string[]
  /** Organization ids named by `urn:zitadel:iam:org:id:`. */
  readonly organizations: readonly string[]
}

export function readScope(scope: string | Iterable<string> | undefined): ScopeRequest {
  const scopes = new Set(typeof scope === 'string' ? scope.split(' ').filter(Boolean) : (scope ?? []))
  const roles: string[] = []
  const projects: string[] = []
  const organizations: string[] = []
  for (const each of scopes) {
    if (!each.startsWith('urn:')) continue
    if (each.startsWith(rolePrefix)) roles.push(each.slice(rolePrefix.length))
    else if (each.startsWith(organizationPrefix)) organizations.push(each.slice(organizationPrefix.length))
    else {
      const project = audience.exec(each)?.[1]
      if (project) projects.push(project)
    }
  }
  return { scopes, roles, projects, organizations }
}
