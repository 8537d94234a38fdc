/** Applications by the second API: `zitadel.app.v2beta.AppService`. SAML is not spoken here. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type ApplicationSchema, type ApplicationSearchFilter, AppSorting, AppState } from '@zitadel/proto/zitadel/app/v2beta/app_pb.js'
import { AppService } from '@zitadel/proto/zitadel/app/v2beta/app_service_pb.js'
import type { Application } from '#src/domain/applications/application.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import {
  apiConfigOf,
  apiWish,
  assertKind,
  complianceOf,
  type GivenOidc,
  newApiWish,
  newOidcWish,
  oidcConfigOf,
  oidcWish,
} from '../oidcApplication.ts'
import { cut, paginationOf } from '../pagination.ts'
import { existingProject, few, pageDetails, passes, sorted } from '../projects.ts'
import { actorOf } from '../users.ts'
import { keyHandlers } from './keys.ts'

export function appHandlers(needs: HandlerNeeds) {
  const { method } = AppService
  const { applications, catalogue, now } = needs

  const messageOf = (application: Application): MessageInitShape<typeof ApplicationSchema> => ({
    id: application.id,
    creationDate: timestampFromDate(application.createdAt),
    changeDate: timestampFromDate(application.changedAt),
    state: application.active ? AppState.ACTIVE : AppState.INACTIVE,
    name: application.name,
    config:
      application.type === 'api'
        ? { case: 'apiConfig', value: apiConfigOf(application) }
        : { case: 'oidcConfig', value: oidcConfigOf(application, 1) },
  })

  /** @throws ApplicationNotFound */
  const own = async (projectId: string, id: string) => (await applications.get(id, projectId)).id

  return [
    handlerOf(method.createApplication, async ({ projectId, id, name, creationRequestType: kind }, caller) => {
      if (kind.case === 'samlRequest' || kind.case === undefined) throw noSaml()
      const wish = kind.case === 'apiRequest' ? newApiWish(name, kind.value.authMethodType) : newOidcWish(name, kind.value, 1)
      const { application, clientSecret } = await applications.create(projectId, { ...wish, id: id || undefined }, actorOf(caller))
      const { clientId } = application
      return {
        appId: application.id,
        creationDate: timestampFromDate(application.createdAt),
        creationResponseType:
          kind.case === 'apiRequest'
            ? { case: 'apiResponse' as const, value: { clientId, clientSecret } }
            : { case: 'oidcResponse' as const, value: { clientId, clientSecret, ...complianceOf(application) } },
      }
    }),

    handlerOf(method.updateApplication, async ({ projectId, id, name, updateRequestType: kind }, caller) => {
      if (kind.case === 'samlConfigurationRequest') throw noSaml()
      const before = await applications.get(id, projectId)
      if (kind.case !== undefined) assertKind(before, kind.case === 'apiConfigurationRequest' ? 'api' : 'oidc')
      const wish = (current: Application) => ({
        ...(name !== '' && { name }),
        ...(kind.case === 'apiConfigurationRequest' && apiWish(kind.value.authMethodType, current)),
        ...(kind.case === 'oidcConfigurationRequest' && oidcWish(said(kind.value), 1, current)),
      })
      const { application } = await applications.change(id, wish, actorOf(caller))
      return { changeDate: timestampFromDate(application.changedAt) }
    }),

    handlerOf(method.getApplication, async ({ id }) => ({ app: messageOf(await applications.get(id)) })),

    handlerOf(method.deleteApplication, async ({ projectId, id }, caller) => {
      await applications.remove(await own(projectId, id), actorOf(caller))
      return { deletionDate: timestampFromDate(now()) }
    }),

    handlerOf(method.deactivateApplication, async ({ projectId, id }, caller) => {
      const { changedAt } = await applications.deactivate(await own(projectId, id), actorOf(caller))
      return { deactivationDate: timestampFromDate(changedAt) }
    }),

    handlerOf(method.reactivateApplication, async ({ projectId, id }, caller) => {
      const { changedAt } = await applications.reactivate(await own(projectId, id), actorOf(caller))
      return { reactivationDate: timestampFromDate(changedAt) }
    }),

    handlerOf(method.regenerateClientSecret, async ({ projectId, applicationId, appType }, caller) => {
      const before = await applications.get(applicationId, projectId)
      if (appType.case !== undefined && appType.value) assertKind(before, appType.case === 'isApi' ? 'api' : 'oidc')
      const { application, clientSecret } = await applications.regenerateSecret(before.id, actorOf(caller))
      return { clientSecret, creationDate: timestampFromDate(application.changedAt) }
    }),

    handlerOf(method.listApplications, async ({ projectId, pagination, filters, sortingColumn }) => {
      const part = paginationOf(pagination)
      await existingProject(needs, projectId)
      const all = await catalogue.listApplications(projectId)
      const found = all.filter((application) => few(filters).every((each) => matches(each, application)))
      const rows = sorted(found, columns[sortingColumn])
      return { pagination: pageDetails(found.length, part.limit), applications: cut(rows, part).map(messageOf) }
    }),

    ...keyHandlers(needs),
  ]
}

const noSaml = () => new StatusError('unimplemented', 'SAML is not spoken here: an application is of OpenID Connect or an API')

/** What a request says of an application: an empty list says nothing. */
function said(config: GivenOidc): GivenOidc {
  const isSaid = ([, value]: [string, unknown]) => value !== undefined && !(Array.isArray(value) && value.length === 0)
  return Object.fromEntries(Object.entries(config).filter(isSaid))
}

function matches({ filter }: ApplicationSearchFilter, { name, active, type }: Application): boolean {
  switch (filter.case) {
    case 'nameFilter':
      return passes(name, filter.value.name, filter.value.method)
    case 'stateFilter':
      return filter.value === (active ? AppState.ACTIVE : AppState.INACTIVE)
    case 'apiAppOnly':
      return !filter.value || type === 'api'
    case 'oidcAppOnly':
      return !filter.value || type !== 'api'
    case 'samlAppOnly':
      return !filter.value
    default:
      return true
  }
}

const columns: Partial<Readonly<Record<AppSorting, (application: Application) => string | number>>> = {
  [AppSorting.APP_SORT_BY_ID]: ({ id }) => id,
  [AppSorting.APP_SORT_BY_NAME]: ({ name }) => name,
  [AppSorting.APP_SORT_BY_STATE]: ({ active }) => (active ? 1 : 2),
  [AppSorting.APP_SORT_BY_CHANGE_DATE]: ({ changedAt }) => changedAt.getTime(),
}
