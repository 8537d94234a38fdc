import type { MessageInitShape } from '@bufbuild/protobuf'
import type { AppQuery, AppSchema } from '@zitadel/proto/zitadel/app_pb.js'
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import type { Application } from '#src/domain/applications/application.ts'
import { listDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import {
  absentOidc,
  apiConfigOf,
  apiWish,
  assertKind,
  complianceOf,
  newApiWish,
  newOidcWish,
  oidcConfigOf,
  oidcWish,
} from '../oidcApplication.ts'
import { cut, listQueryOf } from '../pagination.ts'
import { existingProject, few, madeDetails, newDetails, type ProjectsNeeds, passes, recordDetails } from '../projects.ts'
import { actorOf } from '../users.ts'

export function appHandlers(needs: ProjectsNeeds) {
  const { method } = ManagementService
  const { applications, catalogue, organizationId, now } = needs

  const messageOf = (application: Application): MessageInitShape<typeof AppSchema> => ({
    id: application.id,
    details: recordDetails(application, organizationId()),
    state: application.active ? 1 : 2,
    name: application.name,
    config:
      application.type === 'api'
        ? { case: 'apiConfig', value: apiConfigOf(application) }
        : { case: 'oidcConfig', value: oidcConfigOf(application, 0) },
  })

  const changed = async (write: Promise<{ readonly application: Application }>) => ({
    details: newDetails((await write).application.changedAt, organizationId()),
  })
  const switched = async (write: Promise<Application>) => ({ details: newDetails((await write).changedAt, organizationId()) })

  /** Does it with an application of the project that the request names. @throws ApplicationNotFound */
  const own = async (projectId: string, appId: string, kind?: 'oidc' | 'api') => {
    const application = await applications.get(appId, projectId)
    if (kind) assertKind(application, kind)
    return application.id
  }

  return [
    handlerOf(method.getAppByID, async ({ projectId, appId }) => ({ app: messageOf(await applications.get(appId, projectId)) })),

    handlerOf(method.listApps, async ({ projectId, query, queries }) => {
      const part = listQueryOf(query)
      await existingProject(needs, projectId)
      const found = (await catalogue.listApplications(projectId)).filter(({ name }) => few(queries).every((each) => matches(each, name)))
      return { details: listDetails(found.length, now()), result: cut(found, part).map(messageOf) }
    }),

    handlerOf(method.addOIDCApp, async ({ projectId, name, ...config }, caller) => {
      const { application, clientSecret } = await applications.create(projectId, newOidcWish(name, config, 0), actorOf(caller))
      return {
        appId: application.id,
        details: madeDetails(application.createdAt, organizationId()),
        clientId: application.clientId,
        clientSecret,
        ...complianceOf(application),
      }
    }),

    handlerOf(method.addAPIApp, async ({ projectId, name, authMethodType }, caller) => {
      const { application, clientSecret } = await applications.create(projectId, newApiWish(name, authMethodType), actorOf(caller))
      const details = madeDetails(application.createdAt, organizationId())
      return { appId: application.id, details, clientId: application.clientId, clientSecret }
    }),

    handlerOf(method.updateApp, async ({ projectId, appId, name }, caller) =>
      changed(applications.change(await own(projectId, appId), () => ({ name }), actorOf(caller))),
    ),

    handlerOf(method.updateOIDCAppConfig, async ({ projectId, appId, ...config }, caller) => {
      const given = { ...absentOidc, ...config }
      return changed(applications.change(await own(projectId, appId, 'oidc'), (current) => oidcWish(given, 0, current), actorOf(caller)))
    }),

    handlerOf(method.updateAPIAppConfig, async ({ projectId, appId, authMethodType }, caller) =>
      changed(applications.change(await own(projectId, appId, 'api'), (current) => apiWish(authMethodType, current), actorOf(caller))),
    ),

    handlerOf(method.deactivateApp, async ({ projectId, appId }, caller) =>
      switched(applications.deactivate(await own(projectId, appId), actorOf(caller))),
    ),
    handlerOf(method.reactivateApp, async ({ projectId, appId }, caller) =>
      switched(applications.reactivate(await own(projectId, appId), actorOf(caller))),
    ),

    handlerOf(method.removeApp, async ({ projectId, appId }, caller) => {
      await applications.remove(await own(projectId, appId), actorOf(caller))
      return { details: newDetails(now(), organizationId()) }
    }),

    handlerOf(method.regenerateOIDCClientSecret, async ({ projectId, appId }, caller) => {
      const { application, clientSecret } = await applications.regenerateSecret(await own(projectId, appId, 'oidc'), actorOf(caller))
      return { clientSecret, details: newDetails(application.changedAt, organizationId()) }
    }),

    handlerOf(method.regenerateAPIClientSecret, async ({ projectId, appId }, caller) => {
      const { application, clientSecret } = await applications.regenerateSecret(await own(projectId, appId, 'api'), actorOf(caller))
      return { clientSecret, details: newDetails(application.changedAt, organizationId()) }
    }),
  ]
}

const matches = ({ query }: AppQuery, name: string) => query.case === undefined || passes(name, query.value.name, query.value.method)
