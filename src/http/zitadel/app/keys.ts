import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ApplicationKeysSorting } from '@zitadel/proto/zitadel/app/v2beta/app_pb.js'
import { AppService } from '@zitadel/proto/zitadel/app/v2beta/app_service_pb.js'
import type { Application } from '#src/domain/applications/application.ts'
import { ApplicationKeyNotFound } from '#src/domain/applications/failures.ts'
import { type ApplicationKey, addKeyTo, keyCreation, keyOf, keysOf } from '../applicationKeys.ts'
import { handlerOf } from '../handler.ts'
import { assertOurs } from '../organization.ts'
import { cut, paginationOf } from '../pagination.ts'
import { type ProjectsNeeds, pageDetails, sorted } from '../projects.ts'
import { actorOf } from '../users.ts'

interface Owned {
  readonly application: Application
  readonly key: ApplicationKey
}

export function keyHandlers(needs: ProjectsNeeds) {
  const { method } = AppService
  const { applications, catalogue, organizationId } = needs

  /** The applications that a request is about: one, those of a project, or all. */
  async function applicationsOf(applicationId?: string, projectId?: string): Promise<readonly Application[]> {
    if (applicationId) return [await applications.get(applicationId, projectId || undefined)]
    const projects = projectId ? [projectId] : (await catalogue.listProjects()).map(({ id }) => id)
    return (await Promise.all(projects.map((id) => catalogue.listApplications(id)))).flat()
  }

  const allOf = (owners: readonly Application[]): readonly Owned[] =>
    owners.flatMap((application) => keysOf(application).map((key) => ({ application, key })))

  /** The key of an id, wherever the request lets it be. @throws ApplicationNotFound, ApplicationKeyNotFound */
  async function find(id: string, { applicationId, projectId, organizationId: named }: Named): Promise<Owned> {
    if (named !== '') assertOurs(named, organizationId())
    const found = allOf(await applicationsOf(applicationId, projectId)).find(({ key }) => key.id === id)
    if (!found) throw new ApplicationKeyNotFound(id)
    return found
  }

  return [
    handlerOf(method.createApplicationKey, async ({ appId, projectId, expirationDate }, caller) => {
      const key = await addKeyTo(needs, await applications.get(appId, projectId), expirationDate, caller)
      return { id: key.id, creationDate: keyCreation(key), keyDetails: key.keyDetails }
    }),

    handlerOf(method.deleteApplicationKey, async ({ id, ...named }, caller) => {
      const { application, key } = await find(id, named)
      keyOf(application, key.id)
      const { changedAt } = await applications.removeKey(application.id, id, actorOf(caller))
      return { deletionDate: timestampFromDate(changedAt) }
    }),

    handlerOf(method.getApplicationKey, async ({ id, ...named }) => {
      const { key } = await find(id, named)
      return { id: key.id, creationDate: keyCreation(key) }
    }),

    handlerOf(method.listApplicationKeys, async ({ pagination, sortingColumn, resourceId }) => {
      const part = paginationOf(pagination)
      if (resourceId.case === 'organizationId') assertOurs(resourceId.value, organizationId())
      const owners = await applicationsOf(
        resourceId.case === 'applicationId' ? resourceId.value : undefined,
        resourceId.case === 'projectId' ? resourceId.value : undefined,
      )
      const rows = sorted(allOf(owners), columns[sortingColumn])
      return {
        pagination: pageDetails(rows.length, part.limit),
        keys: cut(rows, part).map(({ application, key }) => ({
          id: key.id,
          applicationId: application.id,
          projectId: application.projectId,
          creationDate: keyCreation(key),
          organizationId: organizationId(),
        })),
      }
    }),
  ]
}

interface Named {
  readonly applicationId: string
  readonly projectId: string
  readonly organizationId: string
}

const columns: Partial<Readonly<Record<ApplicationKeysSorting, (owned: Owned) => string | number>>> = {
  [ApplicationKeysSorting.APPLICATION_KEYS_SORT_BY_ID]: ({ key }) => key.id,
  [ApplicationKeysSorting.APPLICATION_KEYS_SORT_BY_PROJECT_ID]: ({ application }) => application.projectId,
  [ApplicationKeysSorting.APPLICATION_KEYS_SORT_BY_APPLICATION_ID]: ({ application }) => application.id,
  [ApplicationKeysSorting.APPLICATION_KEYS_SORT_BY_CREATION_DATE]: ({ key }) => key.createdAt.getTime(),
}
