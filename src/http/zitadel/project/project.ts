/** Projects by the second API: `zitadel.project.v2beta.ProjectService`. There are no grants of projects to other organizations, because there are none. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ProjectService } from '@zitadel/proto/zitadel/project/v2beta/project_service_pb.js'
import { ProjectFieldName, type ProjectSearchFilter } from '@zitadel/proto/zitadel/project/v2beta/query_pb.js'
import type { Project } from '#src/domain/applications/application.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { assertOurs } from '../organization.ts'
import { cut, paginationOf } from '../pagination.ts'
import { assertNoChecks, existingProject, few, pageDetails, passes, sorted, stateOf } from '../projects.ts'
import { actorOf } from '../users.ts'
import { roleHandlers } from './roles.ts'

export function projectHandlers(needs: HandlerNeeds) {
  const { method } = ProjectService
  const { projects, catalogue, organizationId, now } = needs

  const messageOf = (project: Project) => ({
    id: project.id,
    organizationId: organizationId(),
    creationDate: timestampFromDate(project.createdAt),
    changeDate: timestampFromDate(project.changedAt),
    name: project.name,
    state: stateOf(project),
    projectRoleAssertion: project.projectRoleAssertion,
  })

  const changed = async (write: Promise<Project>) => ({ changeDate: timestampFromDate((await write).changedAt) })

  function matches({ filter }: ProjectSearchFilter, { id, name }: Project): boolean {
    switch (filter.case) {
      case 'projectNameFilter':
        return passes(name, filter.value.projectName, filter.value.method)
      case 'inProjectIdsFilter':
        return filter.value.ids.includes(id)
      case 'projectResourceOwnerFilter':
      case 'projectOrganizationIdFilter':
        return filter.value.id === organizationId()
      // None was granted by another organization.
      case 'projectGrantResourceOwnerFilter':
        return false
      default:
        return true
    }
  }

  return [
    handlerOf(method.createProject, async (request, caller) => {
      const { id, name, projectRoleAssertion, authorizationRequired, projectAccessRequired } = request
      assertOurs(request.organizationId, organizationId())
      assertNoChecks({ authorizationRequired, projectAccessRequired })
      const project = await projects.create({ id: id || undefined, name, projectRoleAssertion }, actorOf(caller))
      return { id: project.id, creationDate: timestampFromDate(project.createdAt) }
    }),

    handlerOf(method.updateProject, async ({ id, name, projectRoleAssertion, projectRoleCheck, hasProjectCheck }, caller) => {
      assertNoChecks({ projectRoleCheck, hasProjectCheck })
      const wanted = { ...(name !== undefined && { name }), ...(projectRoleAssertion !== undefined && { projectRoleAssertion }) }
      return changed(projects.change(id, wanted, actorOf(caller)))
    }),

    handlerOf(method.deleteProject, async ({ id }, caller) => {
      await projects.remove(id, actorOf(caller))
      return { deletionDate: timestampFromDate(now()) }
    }),

    handlerOf(method.getProject, async ({ id }) => ({ project: messageOf(await existingProject(needs, id)) })),

    handlerOf(method.listProjects, async ({ pagination, sortingColumn, filters }) => {
      const part = paginationOf(pagination)
      const found = (await catalogue.listProjects()).filter((project) => few(filters).every((each) => matches(each, project)))
      const rows = sorted(found, columns[sortingColumn ?? ProjectFieldName.UNSPECIFIED])
      return { pagination: pageDetails(found.length, part.limit), projects: cut(rows, part).map(messageOf) }
    }),

    handlerOf(method.deactivateProject, ({ id }, caller) => changed(projects.deactivate(id, actorOf(caller)))),
    handlerOf(method.activateProject, ({ id }, caller) => changed(projects.reactivate(id, actorOf(caller)))),

    ...roleHandlers(needs),
  ]
}

const columns: Partial<Readonly<Record<ProjectFieldName, (project: Project) => string | number>>> = {
  [ProjectFieldName.ID]: ({ id }) => id,
  [ProjectFieldName.NAME]: ({ name }) => name,
  [ProjectFieldName.CHANGE_DATE]: ({ changedAt }) => changedAt.getTime(),
}
