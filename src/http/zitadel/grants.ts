/** What users were granted in projects, for the APIs of both versions: who may change it, and what of it is looked for. */
import type { TextMethod } from '#src/base/text.ts'
import { type Grant, GrantNotFound, partsOfGrantId } from '#src/domain/users/grants.ts'
import { everybody, type TextField, type UserFilter } from '#src/domain/users/search.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import type { Caller } from './authenticate.ts'
import { type ProjectsNeeds, passes } from './projects.ts'
import { changeable, judged, shuttingOut, textMethodOf } from './users.ts'

/** What of a query the store knows by itself, and what is looked at one by one. A list of projects leaves all others out. */
export interface GrantQuery {
  readonly users?: UserFilter
  readonly projectIds?: readonly string[]
  readonly matches?: (grant: Grant) => boolean
}

/** All of `queries` as one search. */
export function together(queries: readonly GrantQuery[]): GrantQuery & { readonly users: UserFilter } {
  const filters = queries.flatMap(({ users }) => users ?? [])
  const projects = queries.flatMap(({ projectIds }) => (projectIds ? [projectIds] : []))
  const checks = queries.flatMap(({ matches }) => matches ?? [])
  return {
    users: filters.length === 0 ? everybody : { kind: 'and', filters },
    ...(projects.length > 0 && { projectIds: projects.reduce((some, others) => some.filter((id) => others.includes(id))) }),
    ...(checks.length > 0 && { matches: (grant: Grant) => checks.every((check) => check(grant)) }),
  }
}

const nobody: GrantQuery = { users: { kind: 'or', filters: [] } }

/** Nothing more is asked, or something that nothing is. */
export const either = (isRight: boolean): GrantQuery => (isRight ? {} : nobody)

export const ofUsers = (ids: readonly string[]): GrantQuery => ({ users: { kind: 'ids', ids } })
export const ofType = (type: User['kind']): GrantQuery => ({ users: { kind: 'type', type } })
export const byText = (field: TextField, text: string, method: number): GrantQuery => ({
  users: { kind: 'text', field, text, method: textMethodOf(method) satisfies TextMethod },
})
export const byRole = (key: string, method: number): GrantQuery => ({
  matches: ({ roles }) => roles.some((role) => passes(role, key, method)),
})

/** In projects of a name. */
export async function byProjectName({ catalogue }: Pick<ProjectsNeeds, 'catalogue'>, name: string, method: number): Promise<GrantQuery> {
  const projects = await catalogue.listProjects()
  return { projectIds: projects.filter((project) => passes(project.name, name, method)).map(({ id }) => id) }
}

/** The user and the project of a grant's id; `userId` must be its user where it is given. @throws GrantNotFound */
export function partsOf(grantId: string, userId?: string): { readonly userId: UserId; readonly projectId: string } {
  const parts = partsOfGrantId(grantId)
  if (!parts || (userId !== undefined && userId !== parts.userId)) throw new GrantNotFound()
  return parts
}

/**
 * Refuses whoever would give roles of Dossier's own project beyond what they hold, or change what somebody has who may do more than they.
 * @throws StatusError 403, 404
 */
export async function assertMayGrant(
  needs: Pick<ProjectsNeeds, 'users' | 'managing'>,
  caller: Caller,
  userId: string,
  projectId: string,
  roles: readonly string[] = [],
): Promise<void> {
  await changeable(needs, caller, userId)
  await judged(caller, () => needs.managing.assertMayGrant(caller, projectId, roles))
}

/**
 * Does something to a grant that is there. Nobody changes what they manage by themselves, so that an administrator is always left.
 * @throws StatusError 400, 403, 404; GrantNotFound
 */
export async function regrant<T>(
  needs: ProjectsNeeds,
  caller: Caller,
  { userId, projectId }: { readonly userId: UserId; readonly projectId: string },
  work: () => Promise<T>,
): Promise<T> {
  const { roles, user } = await needs.grants.get(userId, projectId)
  await assertMayGrant(needs, caller, userId, projectId, roles)
  return projectId === needs.ownProjectId() ? shuttingOut(needs, caller, user, work) : work()
}
