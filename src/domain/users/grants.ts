/** What users were granted: the roles of one user in one project, which may be switched off. The roles that a project has are that room's to say. */
import { DomainError } from '#src/base/errors.ts'
import type { Project } from '../applications/application.ts'
import type { Actor } from '../audit/events.ts'
import type { UserFilter } from './search.ts'
import type { User, UserId } from './user.ts'
import type { Users } from './users.ts'

export interface Grant {
  readonly id: string
  readonly user: User
  readonly projectId: string
  readonly roles: readonly string[]
  readonly active: boolean
}

export class GrantNotFound extends DomainError {
  readonly code = 'grant.not_found'
  constructor() {
    super('nothing was granted to this user in this project')
  }
}

export class GrantTaken extends DomainError {
  readonly code = 'grant.taken'
  constructor() {
    super('something was granted to this user in this project already')
  }
}

export class GrantNotActive extends DomainError {
  readonly code = 'grant.not_active'
  constructor() {
    super('the grant is inactive already')
  }
}

export class GrantNotInactive extends DomainError {
  readonly code = 'grant.not_inactive'
  constructor() {
    super('the grant is active already')
  }
}

/** What is to be granted is not there to be granted. */
export class GrantImpossible extends DomainError {
  readonly code = 'grant.impossible'
}

export interface GrantsDeps {
  readonly users: Pick<Users, 'regrant' | 'search' | 'find'>
  readonly findProject: (id: string) => Promise<Project | undefined>
  readonly listProjects: () => Promise<readonly Project[]>
}

export interface GrantSearch {
  /** What the store looks for. */
  readonly users: UserFilter
  /** Only of these projects; of all without it. */
  readonly projectIds?: readonly string[]
  /** What is looked at one by one, where the store cannot know it. */
  readonly matches?: (grant: Grant) => boolean
  readonly ascending: boolean
  readonly offset: number
  readonly limit: number
}

export type Grants = ReturnType<typeof createGrants>

const pageSize = 500

/** The id of what a user is granted in a project: there is one for each. */
export const grantIdOf = (userId: string, projectId: string) => `${userId}-${projectId}`

/** The user and the project of an id. User ids have no hyphen. */
export function partsOfGrantId(id: string): { readonly userId: UserId; readonly projectId: string } | undefined {
  const [, userId, projectId] = /^([^-]+)-(.+)$/s.exec(id) ?? []
  return userId === undefined || projectId === undefined ? undefined : { userId: userId as UserId, projectId }
}

const hasGrant = ({ roles }: User, projectId: string) => Object.hasOwn(roles, projectId)

/** What a user is granted in a project. @throws GrantNotFound */
function grantOf(user: User, projectId: string): Grant {
  if (!hasGrant(user, projectId)) throw new GrantNotFound()
  return {
    id: grantIdOf(user.id, projectId),
    user,
    projectId,
    roles: user.roles[projectId] ?? [],
    active: !user.inactiveGrants?.includes(projectId),
  }
}

const without = (ids: readonly string[] | undefined, projectId: string) => ids?.filter((id) => id !== projectId)

export function createGrants({ users, findProject, listProjects }: GrantsDeps) {
  /** @throws GrantImpossible */
  async function assertGrantable(projectId: string, roles: readonly string[]): Promise<void> {
    const project = await findProject(projectId)
    if (!project) throw new GrantImpossible('the project does not exist')
    const unknown = roles.find((role) => !project.roles.some(({ key }) => key === role))
    if (unknown !== undefined) throw new GrantImpossible(`the project has no role ${JSON.stringify(unknown)}`)
  }

  const written = async (projectId: string, write: Promise<User>) => grantOf(await write, projectId)

  function switching(userId: UserId, projectId: string, active: boolean, actor: Actor): Promise<Grant> {
    const decide = (current: User) => {
      const grant = grantOf(current, projectId)
      if (grant.active === active) throw active ? new GrantNotInactive() : new GrantNotActive()
      const others = without(current.inactiveGrants, projectId) ?? []
      return { inactiveGrants: active ? others : [...others, projectId] }
    }
    return written(projectId, users.regrant(userId, decide, actor))
  }

  /** All grants of a search, in their order, a page of users at a time. */
  async function* allOf({ users: filter, projectIds, matches, ascending }: GrantSearch): AsyncGenerator<Grant> {
    const asked = new Set(projectIds)
    const projects = (await listProjects()).filter(({ id }) => projectIds === undefined || asked.has(id))
    const granted: UserFilter = { kind: 'or', filters: projects.map(({ id }) => ({ kind: 'granted', projectId: id })) }
    const search = { filter: { kind: 'and', filters: [granted, filter] }, sort: 'createdAt', ascending, limit: pageSize } as const
    for (let offset = 0; ; offset += pageSize) {
      const found = (await users.search({ ...search, offset })).users
      for (const user of found) {
        for (const { id } of projects) {
          const grant = hasGrant(user, id) ? grantOf(user, id) : undefined
          if (grant && (matches?.(grant) ?? true)) yield grant
        }
      }
      if (found.length < pageSize) return
    }
  }

  return {
    /** @throws GrantNotFound */
    async get(userId: UserId, projectId: string): Promise<Grant> {
      const user = await users.find(userId)
      if (!user || !(await findProject(projectId))) throw new GrantNotFound()
      return grantOf(user, projectId)
    },

    /**
     * The grants of a search, in the order in which their users were made, and how many there are in all. Of one project, and with nothing to look at one by one, the
     * store counts; otherwise every user who was granted something is looked at.
     */
    async search(search: GrantSearch): Promise<{ readonly grants: readonly Grant[]; readonly total: number }> {
      const { projectIds, matches, ascending, offset, limit } = search
      const [projectId, ...others] = projectIds ?? []
      if (projectId !== undefined && others.length === 0 && !matches) {
        if (!(await findProject(projectId))) return { grants: [], total: 0 }
        const filter: UserFilter = { kind: 'and', filters: [{ kind: 'granted', projectId }, search.users] }
        const found = await users.search({ filter, sort: 'createdAt', ascending, offset, limit })
        return { grants: found.users.map((user) => grantOf(user, projectId)), total: found.total }
      }
      const grants: Grant[] = []
      let total = 0
      for await (const grant of allOf(search)) {
        if (total >= offset && grants.length < limit) grants.push(grant)
        total += 1
      }
      return { grants, total }
    },

    /** @throws UserNotFound, GrantTaken, GrantImpossible */
    async add(userId: UserId, projectId: string, roles: readonly string[], actor: Actor): Promise<Grant> {
      await assertGrantable(projectId, roles)
      const decide = (current: User) => {
        if (hasGrant(current, projectId)) throw new GrantTaken()
        const inactive = without(current.inactiveGrants, projectId)
        return { roles: { ...current.roles, [projectId]: [...new Set(roles)] }, ...(inactive && { inactiveGrants: inactive }) }
      }
      return written(projectId, users.regrant(userId, decide, actor))
    },

    /** @throws UserNotFound, GrantNotFound, GrantImpossible */
    async change(userId: UserId, projectId: string, roles: readonly string[], actor: Actor): Promise<Grant> {
      await assertGrantable(projectId, roles)
      const decide = (current: User) => {
        const next = [...new Set(roles)]
        const before = new Set(grantOf(current, projectId).roles)
        if (next.length === before.size && next.every((role) => before.has(role))) return undefined
        return { roles: { ...current.roles, [projectId]: next } }
      }
      return written(projectId, users.regrant(userId, decide, actor))
    },

    /** What it gives is not had until it is switched on again. @throws UserNotFound, GrantNotFound, GrantNotActive */
    deactivate: (userId: UserId, projectId: string, actor: Actor) => switching(userId, projectId, false, actor),
    /** @throws UserNotFound, GrantNotFound, GrantNotInactive */
    reactivate: (userId: UserId, projectId: string, actor: Actor) => switching(userId, projectId, true, actor),

    /** @throws UserNotFound, GrantNotFound */
    remove: (userId: UserId, projectId: string, actor: Actor): Promise<User> =>
      users.regrant(
        userId,
        (current) => {
          grantOf(current, projectId)
          return withoutProject(current, projectId)
        },
        actor,
      ),

    /**
     * Takes a role of a project from everybody who was granted it, or all that was granted there. It is asked for when the project has it no more: nothing is granted anew
     * meanwhile, and what is left when it fails in the middle is said in no token.
     */
    async revoke(projectId: string, role: string | undefined, actor: Actor): Promise<void> {
      const search = { filter: { kind: 'granted', projectId }, sort: 'createdAt', ascending: true, limit: pageSize } as const
      for (let offset = 0; ; ) {
        const found = (await users.search({ ...search, offset })).users
        await Promise.all(found.map(({ id }) => users.regrant(id, (current) => lessOf(current, projectId, role), actor)))
        if (found.length < pageSize) return
        // Whoever has lost all of it is found no more.
        if (role !== undefined) offset += pageSize
      }
    },
  }
}

function withoutProject({ roles, inactiveGrants }: User, projectId: string) {
  const inactive = without(inactiveGrants, projectId)
  return {
    roles: Object.fromEntries(Object.entries(roles).filter(([id]) => id !== projectId)),
    ...(inactive?.length !== inactiveGrants?.length && { inactiveGrants: inactive }),
  }
}

function lessOf(current: User, projectId: string, role: string | undefined) {
  if (!hasGrant(current, projectId)) return undefined
  if (role === undefined) return withoutProject(current, projectId)
  const held = current.roles[projectId] ?? []
  return held.includes(role) ? { roles: { ...current.roles, [projectId]: held.filter((each) => each !== role) } } : undefined
}
