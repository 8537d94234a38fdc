/** What users were granted, by the second API: `zitadel.authorization.v2beta.AuthorizationService`. They are listed in the order in which their users were made. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type AuthorizationsSearchFilter, State } from '@zitadel/proto/zitadel/authorization/v2beta/authorization_pb.js'
import { AuthorizationService } from '@zitadel/proto/zitadel/authorization/v2beta/authorization_service_pb.js'
import type { CatalogueRootView } from '#src/domain/applications/catalogue.ts'
import { type Grant, partsOfGrantId } from '#src/domain/users/grants.ts'
import type { UserId } from '#src/domain/users/user.ts'
import type { Caller } from '../authenticate.ts'
import { assertMayGrant, byProjectName, byRole, byText, either, type GrantQuery, ofUsers, partsOf, regrant, together } from '../grants.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { assertOurs } from '../organization.ts'
import { paginationOf } from '../pagination.ts'
import { displayNameOf } from '../profile.ts'
import { few, pageDetails } from '../projects.ts'
import { actorOf } from '../users.ts'

export function authorizationHandlers(needs: HandlerNeeds) {
  const { method } = AuthorizationService
  const { grants, catalogue, organizationId } = needs

  const changed = async (write: Promise<Grant>) => ({ changeDate: timestampFromDate((await write).user.changedAt) })

  function change<T>(caller: Caller, id: string, work: (parts: ReturnType<typeof partsOf>) => Promise<T>): Promise<T> {
    const parts = partsOf(id)
    return regrant(needs, caller, parts, () => work(parts))
  }

  async function queryOf({ filter }: AuthorizationsSearchFilter): Promise<GrantQuery> {
    switch (filter.case) {
      case 'authorizationIds': {
        const ids = new Set(filter.value.ids)
        const users = [...ids].flatMap((id) => partsOfGrantId(id)?.userId ?? [])
        return { ...ofUsers(users), matches: (grant) => ids.has(grant.id) }
      }
      case 'organizationId':
      case 'userOrganizationId':
        return either(filter.value.id === organizationId())
      case 'state':
        return { matches: ({ active }) => active === (filter.value.state === State.ACTIVE) }
      case 'userId':
        return ofUsers([filter.value.id])
      case 'userPreferredLoginName':
        return byText('username', filter.value.loginName, filter.value.method)
      case 'userDisplayName':
        return byText('displayName', filter.value.displayName, filter.value.method)
      case 'projectId':
        return { projectIds: [filter.value.id] }
      case 'projectName':
        return byProjectName(needs, filter.value.name, filter.value.method)
      case 'roleKey':
        return byRole(filter.value.key, filter.value.method)
      case 'projectGrantId':
        return either(false)
      default:
        return either(true)
    }
  }

  return [
    handlerOf(method.listAuthorizations, async ({ pagination, filters }) => {
      const part = paginationOf(pagination)
      const search = together(await Promise.all(few(filters).map(queryOf)))
      const [found, root] = await Promise.all([grants.search({ ...search, ...part }), catalogue.root()])
      return {
        pagination: pageDetails(found.total, part.limit),
        authorizations: found.grants.map((grant) => messageOf(grant, root)),
      }
    }),

    handlerOf(method.createAuthorization, async ({ userId, projectId, organizationId: named, roleKeys }, caller) => {
      if (named !== undefined) assertOurs(named, organizationId())
      await assertMayGrant(needs, caller, userId, projectId, roleKeys)
      const { id, user } = await grants.add(userId as UserId, projectId, roleKeys, actorOf(caller))
      return { id, creationDate: timestampFromDate(user.changedAt) }
    }),

    handlerOf(method.updateAuthorization, async ({ id, roleKeys }, caller) => {
      const { userId, projectId } = partsOf(id)
      await assertMayGrant(needs, caller, userId, projectId, roleKeys)
      return changed(change(caller, id, () => grants.change(userId, projectId, roleKeys, actorOf(caller))))
    }),

    handlerOf(method.deleteAuthorization, async ({ id }, caller) => {
      const { changedAt } = await change(caller, id, ({ userId, projectId }) => grants.remove(userId, projectId, actorOf(caller)))
      return { deletionDate: timestampFromDate(changedAt) }
    }),

    handlerOf(method.activateAuthorization, async ({ id }, caller) =>
      changed(change(caller, id, ({ userId, projectId }) => grants.reactivate(userId, projectId, actorOf(caller)))),
    ),

    handlerOf(method.deactivateAuthorization, async ({ id }, caller) =>
      changed(change(caller, id, ({ userId, projectId }) => grants.deactivate(userId, projectId, actorOf(caller)))),
    ),
  ]
}

function messageOf({ id, user, projectId, roles, active }: Grant, { organization, projects }: CatalogueRootView) {
  return {
    id,
    projectId,
    projectName: projects.get(projectId)?.name,
    projectOrganizationId: organization.id,
    organizationId: organization.id,
    creationDate: timestampFromDate(user.createdAt),
    changeDate: timestampFromDate(user.changedAt),
    state: active ? State.ACTIVE : State.INACTIVE,
    user: {
      id: user.id,
      preferredLoginName: user.username,
      displayName: displayNameOf(user),
      avatarUrl: user.profile.picture,
      organizationId: organization.id,
    },
    roles: [...roles],
  }
}
