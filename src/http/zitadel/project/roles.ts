import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ProjectService } from '@zitadel/proto/zitadel/project/v2beta/project_service_pb.js'
import { ProjectRoleFieldName, type ProjectRoleSearchFilter } from '@zitadel/proto/zitadel/project/v2beta/query_pb.js'
import type { Role } from '#src/domain/applications/application.ts'
import { handlerOf } from '../handler.ts'
import { cut, paginationOf } from '../pagination.ts'
import { existingProject, few, type ProjectsNeeds, pageDetails, passes, sorted, textOrNone } from '../projects.ts'
import { actorOf } from '../users.ts'

export function roleHandlers(needs: ProjectsNeeds) {
  const { method } = ProjectService
  const { projects } = needs

  return [
    handlerOf(method.addProjectRole, async ({ projectId, roleKey, displayName, group = '' }, caller) => {
      const role = { key: roleKey, displayName: textOrNone(displayName), group: textOrNone(group) }
      const { changedAt } = await projects.addRoles(projectId, [role], actorOf(caller))
      return { creationDate: timestampFromDate(changedAt) }
    }),

    handlerOf(method.updateProjectRole, async ({ projectId, roleKey, displayName, group }, caller) => {
      const wanted = {
        ...(displayName !== undefined && { displayName: textOrNone(displayName) }),
        ...(group !== undefined && { group: textOrNone(group) }),
      }
      const { changedAt } = await projects.changeRole(projectId, roleKey, wanted, actorOf(caller))
      return { changeDate: timestampFromDate(changedAt) }
    }),

    handlerOf(method.removeProjectRole, async ({ projectId, roleKey }, caller) => {
      const { changedAt } = await projects.removeRole(projectId, roleKey, actorOf(caller))
      return { removalDate: timestampFromDate(changedAt) }
    }),

    handlerOf(method.listProjectRoles, async ({ projectId, pagination, sortingColumn, filters }) => {
      const part = paginationOf(pagination)
      const { roles, createdAt, changedAt } = await existingProject(needs, projectId)
      const found = roles.filter((role) => few(filters).every((each) => matches(each, role)))
      const rows = sorted(found, sortingColumn === ProjectRoleFieldName.KEY ? ({ key }) => key : undefined)
      const dates = { creationDate: timestampFromDate(createdAt), changeDate: timestampFromDate(changedAt) }
      const projectRoles = cut(rows, part).map(({ key, displayName, group }) => ({ projectId, key, displayName, group, ...dates }))
      return { pagination: pageDetails(found.length, part.limit), projectRoles }
    }),
  ]
}

function matches({ filter }: ProjectRoleSearchFilter, { key, displayName }: Role): boolean {
  if (filter.case === 'roleKeyFilter') return passes(key, filter.value.key, filter.value.method)
  return filter.case === 'displayNameFilter' ? passes(displayName, filter.value.displayName, filter.value.method) : true
}
