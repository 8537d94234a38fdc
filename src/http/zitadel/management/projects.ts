import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import type { ProjectQuery } from '@zitadel/proto/zitadel/project_pb.js'
import type { Project } from '#src/domain/applications/application.ts'
import { listDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import { cut, listQueryOf } from '../pagination.ts'
import {
  assertNoChecks,
  existingProject,
  few,
  madeDetails,
  newDetails,
  type ProjectsNeeds,
  passes,
  recordDetails,
  stateOf,
} from '../projects.ts'
import { actorOf } from '../users.ts'

export function projectHandlers(needs: ProjectsNeeds) {
  const { method } = ManagementService
  const { projects, catalogue, organizationId, now } = needs

  const messageOf = (project: Project) => ({
    id: project.id,
    details: recordDetails(project, organizationId()),
    name: project.name,
    state: stateOf(project),
    projectRoleAssertion: project.projectRoleAssertion,
  })

  const changed = async (write: Promise<Project>) => ({ details: newDetails((await write).changedAt, organizationId()) })

  const matches = ({ query }: ProjectQuery, { name }: Project) =>
    query.case === 'nameQuery' ? passes(name, query.value.name, query.value.method) : query.value?.resourceOwner === organizationId()

  return [
    handlerOf(method.getProjectByID, async ({ id }) => ({ project: messageOf(await existingProject(needs, id)) })),

    handlerOf(method.listProjects, async ({ query, queries }) => {
      const part = listQueryOf(query)
      const found = (await catalogue.listProjects()).filter((project) => few(queries).every((each) => matches(each, project)))
      return { details: listDetails(found.length, now()), result: cut(found, part).map(messageOf) }
    }),

    handlerOf(method.addProject, async ({ name, projectRoleAssertion, projectRoleCheck, hasProjectCheck }, caller) => {
      assertNoChecks({ projectRoleCheck, hasProjectCheck })
      const project = await projects.create({ name, projectRoleAssertion }, actorOf(caller))
      return { id: project.id, details: madeDetails(project.createdAt, organizationId()) }
    }),

    handlerOf(method.updateProject, ({ id, name, projectRoleAssertion, projectRoleCheck, hasProjectCheck }, caller) => {
      assertNoChecks({ projectRoleCheck, hasProjectCheck })
      return changed(projects.change(id, { name, projectRoleAssertion }, actorOf(caller)))
    }),

    handlerOf(method.deactivateProject, ({ id }, caller) => changed(projects.deactivate(id, actorOf(caller)))),
    handlerOf(method.reactivateProject, ({ id }, caller) => changed(projects.reactivate(id, actorOf(caller)))),

    handlerOf(method.removeProject, async ({ id }, caller) => {
      await projects.remove(id, actorOf(caller))
      return { details: newDetails(now(), organizationId()) }
    }),
  ]
}
