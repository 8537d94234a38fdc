/** What is said about a user: pure functions from records and granted scopes to claims. Names and forms: contracts/zitadel.md, section 7. */

import { epochSeconds } from '#src/base/clock.ts'
import type { ActionFunction } from '#src/domain/actions/action.ts'
import { isRegistered } from '#src/domain/applications/application.ts'
import type { ApplicationView, CatalogueRootView } from '#src/domain/applications/catalogue.ts'
import { heldIn } from '#src/domain/applications/heldRoles.ts'
import { dataOfUser } from '#src/domain/apps/identities.ts'
import type { User } from '#src/domain/users/user.ts'
import { customDataScope, metadataScope, projectsRolesScope, providerDataScope, resourceOwnerScope, type ScopeRequest } from './scopes.ts'
import { subjectOf } from './subjects.ts'

export interface ClaimSources {
  readonly user: User
  /** All metadata as `metadataText`, when it was read and there is any. */
  readonly metadata?: string
  /** Custom user data, when it was read. */
  readonly customData?: CustomDataOfUser
  readonly root: CatalogueRootView
  /** Absent for a machine user's own token, which no application stands behind. */
  readonly view?: ApplicationView
  /** What targets of the operator's have added (`appending.ts`): it never stands in the place of what is said here. */
  readonly appended?: Claims
}

/** The document that an application keeps of somebody, as plain JSON. */
export interface CustomDataOfUser {
  readonly document: Readonly<Record<string, unknown>>
  /** It is too large for a token. */
  readonly isOmitted: boolean
}

export type Claims = Record<string, unknown>

/** Answers what targets of the operator's add to `claims` (appending.ts), or at once that none is asked. */
export type Append = (name: ActionFunction, sources: ClaimSources, claims: Claims) => Promise<Claims> | undefined

/** Under it, claims for the engine say which of their names it cannot know in advance: those that targets have added. */
export const addedNames = Symbol('added names')

/** Everything but metadata that userinfo answers for the granted scopes. */
export function userinfoClaims(sources: ClaimSources, request: ScopeRequest): Claims & { sub: string } {
  return {
    ...sources.appended,
    sub: subjectOf(sources.user.id, sources.view?.application, sources.root.organization),
    ...standardClaims(sources.user, request),
    ...reservedClaims(sources, request),
    ...roleClaims(sources, request),
    ...appServicesClaims(sources, request),
  }
}

/** Custom user data and provider metadata. What is too large for a token is in none. */
export function appServicesClaims(
  { user, customData }: Pick<ClaimSources, 'user' | 'customData'>,
  { scopes }: ScopeRequest,
  { inToken = false } = {},
): Claims {
  const claims: Claims = {}
  if (scopes.has(customDataScope)) claims[customDataScope] = (inToken && customData?.isOmitted ? undefined : customData?.document) ?? {}
  if (scopes.has(providerDataScope)) claims[providerDataScope] = dataOfUser(user.identities ?? [])
  return claims
}

/** The claims of OpenID Connect Core, section 5.4. */
function standardClaims({ profile, ...user }: User, { scopes }: ScopeRequest): Claims {
  const claims: Claims = {}
  if (scopes.has('profile')) {
    const name = profile.displayName ?? ([profile.givenName, profile.familyName].filter(Boolean).join(' ') || user.username)
    Object.assign(claims, {
      name,
      given_name: profile.givenName,
      family_name: profile.familyName,
      nickname: profile.nickName,
      preferred_username: user.username,
      picture: profile.picture,
      gender: profile.gender,
      locale: profile.locale,
      updated_at: epochSeconds(user.changedAt),
    })
  }
  if (scopes.has('email') && profile.email) Object.assign(claims, { email: profile.email, email_verified: profile.emailVerified ?? false })
  if (scopes.has('phone') && profile.phone) {
    Object.assign(claims, { phone_number: profile.phone, phone_number_verified: profile.phoneVerified ?? false })
  }
  if (scopes.has('address') && profile.address) claims.address = profile.address
  return claims
}

/** Resource owner: what ZITADEL's reserved scopes give, in every kind of token. */
export function reservedClaims({ root: { organization } }: ClaimSources, { scopes, organizations }: ScopeRequest): Claims {
  const claims: Claims = {}
  const named = organizations.includes(organization.id)
  if (named) claims['urn:zitadel:iam:org:id'] = organization.id
  if (scopes.has(resourceOwnerScope) || named) {
    claims[`${resourceOwnerScope}:id`] = organization.id
    claims[`${resourceOwnerScope}:name`] = organization.name
    claims[`${resourceOwnerScope}:primary_domain`] = organization.primaryDomain
  }
  return claims
}

/** `claims` as JSON with the metadata claim, if its scope was granted: metadata is put in as the text that it is, and never taken apart. */
export function withMetadata(claims: Claims & { sub: string }, metadata: string | undefined, { scopes }: ScopeRequest): string {
  const text = JSON.stringify(claims)
  return metadata !== undefined && scopes.has(metadataScope) ? `${text.slice(0, -1)},"${metadataScope}":${metadata}}` : text
}

/**
 * Roles that the requesting project still has, when its `projectRoleAssertion` or a scope asks for them; with the scope
 * `urn:zitadel:iam:org:projects:roles` also those of every project that an audience scope names. An application that registered itself is told none.
 */
export function roleClaims({ user, root, view }: ClaimSources, request: ScopeRequest): Claims {
  const claims: Claims = {}
  if (view && isRegistered(view.application)) return claims
  const { id: organizationId, primaryDomain } = root.organization
  const asClaim = (roles: readonly string[]) => Object.fromEntries(roles.map((role) => [role, { [organizationId]: primaryDomain }]))
  const all = request.scopes.has(projectsRolesScope)

  if (view && (all || view.project.projectRoleAssertion || request.roles.length > 0)) {
    const held = heldIn(user, view.project)
    const wanted = all || view.project.projectRoleAssertion ? held : held.filter((role) => request.roles.includes(role))
    if (wanted.length > 0) {
      claims['urn:zitadel:iam:org:project:roles'] = asClaim(wanted)
      claims[`urn:zitadel:iam:org:project:${view.project.id}:roles`] = asClaim(wanted)
    }
  }
  for (const project of all ? request.projects : []) {
    const id = project === 'zitadel' ? root.ownProjectId : project
    const held = heldIn(user, root.projects.get(id))
    if (held.length > 0) claims[`urn:zitadel:iam:org:project:${id}:roles`] = asClaim(held)
  }
  return claims
}
