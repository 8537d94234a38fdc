/** Projects and their roles, as somebody who manages them changes them. What is right for a project is for the configuration file's rules to say. */
import { newObjectId } from '#src/base/ids.ts'
import type { Actor } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import { isActive, type Project, type Role } from './application.ts'
import { differing } from './differing.ts'
import {
  ProjectFixed,
  ProjectIdTaken,
  ProjectInvalid,
  ProjectNameTaken,
  ProjectNotActive,
  ProjectNotFound,
  ProjectNotInactive,
  RoleNotFound,
  RoleTaken,
} from './failures.ts'
import type { CatalogueRoot, CatalogueState, CatalogueStore } from './store.ts'

export interface ProjectsDeps {
  readonly store: Pick<CatalogueStore, 'change'>
  readonly root: () => Promise<Pick<CatalogueRoot, 'ownProjectId'>>
  readonly recorder: Recorder
  /** What the rules of the configuration file refuse about a project that was another one `before`, a sentence each. */
  readonly faultsOf: (project: Project, before?: Project) => readonly string[]
  /** Takes away what users were granted: all of a project, or one role. */
  readonly revoke: (projectId: string, role: string | undefined, actor: Actor) => Promise<void>
}

export interface NewProject {
  readonly id?: string
  readonly name: string
  readonly projectRoleAssertion?: boolean
}

export type Projects = ReturnType<typeof createProjects>

const sameRoles = (roles: readonly Role[], keys: readonly string[]) => roles.filter(({ key }) => keys.includes(key))

export function createProjects({ store, root, recorder, faultsOf, revoke }: ProjectsDeps) {
  const about = (id: string) => ({ kind: 'project', id }) as const

  function assertAcceptable(project: Project, projects: readonly Project[]): void {
    const before = projects.find(({ id }) => id === project.id)
    const [fault] = faultsOf(project, before)
    if (fault !== undefined) throw new ProjectInvalid(fault)
    if (projects.some(({ id, name }) => id !== project.id && name === project.name)) throw new ProjectNameTaken(project.name)
  }

  /** The project as `next` makes it, written when that is another one. @throws ProjectNotFound, ProjectFixed */
  async function edit(id: string, actor: Actor, next: (current: Project) => Project): Promise<Project> {
    const { ownProjectId } = await root()
    let after: Project | undefined
    await store.change({ projectId: id }, ({ projects }) => {
      const current = existing(projects, id)
      if (id === ownProjectId) throw new ProjectFixed()
      after = next(current)
      const fields = differing(current, after)
      if (fields.length === 0) return undefined
      assertAcceptable(after, projects)
      after = { ...after, changedAt: recorder.now() }
      return { putProjects: [after], events: [recorder.event('project.changed', actor, about(id), { fields })] }
    })
    return after as Project
  }

  return {
    /** @throws ProjectNameTaken, ProjectIdTaken, ProjectInvalid */
    async create({ id, name, projectRoleAssertion = false }: NewProject, actor: Actor): Promise<Project> {
      const at = recorder.now()
      const project: Project = { id: id ?? newObjectId(at), name, roles: [], projectRoleAssertion, createdAt: at, changedAt: at }
      await store.change({ projectId: project.id }, ({ projects }) => {
        if (projects.some((each) => each.id === project.id)) throw new ProjectIdTaken(project.id)
        assertAcceptable(project, projects)
        return { putProjects: [project], events: [recorder.event('project.created', actor, about(project.id), { name })] }
      })
      return project
    },

    /** Changes what is given. @throws ProjectNotFound, ProjectFixed, ProjectNameTaken, ProjectInvalid */
    change: (id: string, wanted: Partial<Pick<Project, 'name' | 'projectRoleAssertion'>>, actor: Actor): Promise<Project> =>
      edit(id, actor, (current) => ({ ...current, ...wanted })),

    /** Switches the applications of a project off. @throws ProjectNotFound, ProjectFixed, ProjectNotActive */
    deactivate: (id: string, actor: Actor): Promise<Project> =>
      edit(id, actor, (current) => {
        if (!isActive(current)) throw new ProjectNotActive()
        return { ...current, active: false }
      }),

    /** @throws ProjectNotFound, ProjectFixed, ProjectNotInactive */
    reactivate: (id: string, actor: Actor): Promise<Project> =>
      edit(id, actor, (current) => {
        if (isActive(current)) throw new ProjectNotInactive()
        return { ...current, active: undefined }
      }),

    /** Removes a project with its applications, and then what users were granted in it. @throws ProjectNotFound, ProjectFixed */
    async remove(id: string, actor: Actor): Promise<void> {
      const { ownProjectId } = await root()
      await store.change({ projectId: id }, ({ projects, applications }: CatalogueState) => {
        existing(projects, id)
        if (id === ownProjectId) throw new ProjectFixed()
        return {
          removeProjects: [id],
          removeApplications: applications.map((each) => each.id),
          events: [
            ...applications.map((each) =>
              recorder.event('application.removed', actor, { kind: 'application', id: each.id }, { clientId: each.clientId }),
            ),
            recorder.event('project.removed', actor, about(id), {}),
          ],
        }
      })
      await revoke(id, undefined, actor)
    },

    /** Adds roles, all or none. @throws ProjectNotFound, ProjectFixed, RoleTaken, ProjectInvalid */
    addRoles: (id: string, roles: readonly Role[], actor: Actor): Promise<Project> =>
      edit(id, actor, (current) => {
        const keys = roles.map(({ key }) => key)
        const taken = sameRoles(current.roles, keys)[0]?.key ?? keys.find((key, index) => keys.indexOf(key) < index)
        if (taken !== undefined) throw new RoleTaken(taken)
        return { ...current, roles: [...current.roles, ...roles] }
      }),

    /** Changes what a role is called; `undefined` takes away. @throws ProjectNotFound, ProjectFixed, RoleNotFound, ProjectInvalid */
    changeRole: (id: string, key: string, wanted: Partial<Omit<Role, 'key'>>, actor: Actor): Promise<Project> =>
      edit(id, actor, (current) => {
        const [role] = sameRoles(current.roles, [key])
        if (!role) throw new RoleNotFound(key)
        return { ...current, roles: current.roles.map((each) => (each === role ? { ...role, ...wanted } : each)) }
      }),

    /** Removes a role, and then takes it from whoever holds it. @throws ProjectNotFound, ProjectFixed, RoleNotFound */
    async removeRole(id: string, key: string, actor: Actor): Promise<Project> {
      const project = await edit(id, actor, (current) => {
        if (sameRoles(current.roles, [key]).length === 0) throw new RoleNotFound(key)
        return { ...current, roles: current.roles.filter((role) => role.key !== key) }
      })
      await revoke(id, key, actor)
      return project
    },
  }
}

function existing(projects: readonly Project[], id: string): Project {
  const found = projects.find((each) => each.id === id)
  if (!found) throw new ProjectNotFound(id)
  return found
}
