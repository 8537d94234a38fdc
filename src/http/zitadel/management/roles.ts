import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import type { RoleQuery } from '@zitadel/proto/zitadel/project_pb.js'
import type { Project, Role } from '#src/domain/applications/application.ts'
import { listDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import { cut, listQueryOf } from '../pagination.ts'
import { existingProject, few, madeDetails, newDetails, type ProjectsNeeds, passes, recordDetails, textOrNone } from '../projects.ts'
import { actorOf } from '../users.ts'

export function roleHandlers(needs: ProjectsNeeds) {
  const { method } = ManagementService
  const { projects, organizationId, now } = needs

  const changed = async (write: Promise<Project>) => ({ details: newDetails((await write).changedAt, organizationId()) })
  const roleOf = (key: string, displayName: string, group: string): Role => ({
    key,
    displayName: textOrNone(displayName),
    group: textOrNone(group),
  })

  return [
    handlerOf(method.listProjectRoles, async ({ projectId, query, queries }) => {
      const part = listQueryOf(query)
      const project = await existingProject(needs, projectId)
      const found = project.roles.filter((role) => few(queries).every((each) => matches(each, role)))
      const details = recordDetails(project, organizationId())
      const result = cut(found, part).map(({ key, displayName, group }) => ({ key, displayName, group, details }))
      return { details: listDetails(found.length, now()), result }
    }),

    handlerOf(method.addProjectRole, async ({ projectId, roleKey, displayName, group }, caller) => {
      const { changedAt } = await projects.addRoles(projectId, [roleOf(roleKey, displayName, group)], actorOf(caller))
      return { details: madeDetails(changedAt, organizationId()) }
    }),

    handlerOf(method.bulkAddProjectRoles, ({ projectId, roles }, caller) => {
      const added = roles.map(({ key, displayName, group }) => roleOf(key, displayName, group))
      return changed(projects.addRoles(projectId, added, actorOf(caller)))
    }),

    handlerOf(method.updateProjectRole, ({ projectId, roleKey, displayName, group }, caller) => {
      const { key, ...wanted } = roleOf(roleKey, displayName, group)
      return changed(projects.changeRole(projectId, key, wanted, actorOf(caller)))
    }),

    handlerOf(method.removeProjectRole, ({ projectId, roleKey }, caller) =>
      changed(projects.removeRole(projectId, roleKey, actorOf(caller))),
    ),
  ]
}

function matches({ query }: RoleQuery, { key, displayName }: Role): boolean {
  if (query.case === 'keyQuery') return passes(key, query.value.key, query.value.method)
  return query.case === 'displayNameQuery' ? passes(displayName, query.value.displayName, query.value.method) : true
}
