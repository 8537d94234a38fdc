/** `/console/users/{id}/roles`: what somebody was granted in projects. What they may do to Dossier itself is another page, which asks again who grants it. */
import type { Project } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Grants } from '#src/domain/users/grants.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { pathOf, showUser, type UserNeeds, userPage } from './user.ts'

export interface UserRolesNeeds extends UserNeeds {
  readonly grants: Grants
  readonly catalogue: Pick<Catalogue, 'root'>
}

/** So many projects are offered in a list. */
const mostOffered = 200

/** What a user was granted, by the names of projects; of a project that is gone, by its id. */
function grantsOf(user: User, projects: ReadonlyMap<string, Project>, ownProjectId: string) {
  return Object.entries(user.roles)
    .map(([id, roles]) => ({
      id,
      name: projects.get(id)?.name ?? id,
      roles,
      isActive: !user.inactiveGrants?.includes(id),
      isOwn: id === ownProjectId,
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name))
}

async function show(needs: UserRolesNeeds, visit: Visit, user: User, data: { problem?: string; status?: number } = {}): Promise<void> {
  const { projects, ownProjectId } = await needs.catalogue.root()
  const offered = [...projects.values()].filter(
    ({ id, roles }) => id !== ownProjectId && !Object.hasOwn(user.roles, id) && roles.length > 0,
  )
  return showUser(needs, visit, user, 'roles', {
    ...data,
    grants: grantsOf(user, projects, ownProjectId),
    ownProject: projects.get(ownProjectId)?.name,
    offered: offered.slice(0, mostOffered).map(({ id, name }) => ({ id, name })),
  })
}

/** Does something to a grant in a project that is not Dossier's own, and goes back to the list; what speaks against it is shown there. */
async function change(needs: UserRolesNeeds, visit: Visit, user: User, work: (projectId: string) => Promise<unknown>): Promise<void> {
  const projectId = decoded(visit.params.project)
  // Those have a page of their own, with rules of their own.
  if (projectId === (await needs.catalogue.root()).ownProjectId) return visit.refuse()
  try {
    await work(projectId)
    visit.go(pathOf(user, '/roles'), 'saved')
  } catch (error) {
    await show(needs, visit, (await needs.users.find(user.id)) ?? user, { problem: visit.problemOf(error), status: 400 })
  }
}

function decoded(segment = ''): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return ''
  }
}

export const userRolesPages = (needs: UserRolesNeeds): readonly AreaPage[] => {
  const { grants, catalogue } = needs

  async function showRoles(visit: Visit, user: User): Promise<void> {
    const { projects, ownProjectId } = await catalogue.root()
    const project = projects.get(decoded(visit.params.project))
    if (!project) return visit.missing()
    if (project.id === ownProjectId) return visit.go(pathOf(user, '/rights'))
    const held = new Set(user.roles[project.id])
    return showUser(needs, visit, user, 'roles', {
      template: 'userGrant',
      heading: visit.texts.t('consoleUsers.roles.in', { project: project.name }),
      project,
      isNew: !Object.hasOwn(user.roles, project.id),
      roles: project.roles.map(({ key, displayName }) => ({ key, displayName, isHeld: held.has(key) })),
    })
  }

  const save = (visit: Visit, user: User, form: SentForm) =>
    change(needs, visit, user, (projectId) => {
      const isThere = Object.hasOwn(user.roles, projectId)
      return grants[isThere ? 'change' : 'add'](user.id, projectId, form.all('role'), visit.actor)
    })

  return [
    userPage(needs, {
      method: 'GET',
      path: '/roles',
      permission: 'user.grant.read',
      handle: (visit, user) => {
        const chosen = visit.query('project')
        return chosen === '' ? show(needs, visit, user) : visit.go(pathOf(user, `/roles/${encodeURIComponent(chosen)}`))
      },
    }),
    userPage(needs, { method: 'GET', path: '/roles/:project', permission: 'user.grant.write', isForChange: true, handle: showRoles }),
    userPage(needs, { method: 'POST', path: '/roles/:project', permission: 'user.grant.write', handle: save }),
    userPage(needs, {
      method: 'POST',
      path: '/roles/:project/state',
      permission: 'user.grant.write',
      handle: (visit, user, form) =>
        change(needs, visit, user, (projectId) =>
          grants[form.raw('active') === 'yes' ? 'reactivate' : 'deactivate'](user.id, projectId, visit.actor),
        ),
    }),
    userPage(needs, {
      method: 'POST',
      path: '/roles/:project/remove',
      permission: 'user.grant.delete',
      handle: (visit, user) => change(needs, visit, user, (projectId) => grants.remove(user.id, projectId, visit.actor)),
    }),
  ]
}
