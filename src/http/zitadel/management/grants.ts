import type { MessageInitShape } from '@bufbuild/protobuf'
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { Type, type UserGrantQuery, type UserGrantSchema, UserGrantState } from '@zitadel/proto/zitadel/user_pb.js'
import type { CatalogueRootView } from '#src/domain/applications/catalogue.ts'
import type { Grant } from '#src/domain/users/grants.ts'
import type { UserId } from '#src/domain/users/user.ts'
import type { Caller } from '../authenticate.ts'
import { changedDetails, createdDetails, detailsOf, listDetails } from '../details.ts'
import { StatusError } from '../errors.ts'
import {
  assertMayGrant,
  byProjectName,
  byRole,
  byText,
  either,
  type GrantQuery,
  ofType,
  ofUsers,
  partsOf,
  regrant,
  together,
} from '../grants.ts'
import { handlerOf } from '../handler.ts'
import { listQueryOf } from '../pagination.ts'
import { displayNameOf } from '../profile.ts'
import { few, type ProjectsNeeds, passes } from '../projects.ts'
import { actorOf } from '../users.ts'

export function grantHandlers(needs: ProjectsNeeds) {
  const { method } = ManagementService
  const { grants, catalogue, organizationId, now } = needs

  const changed = async (write: Promise<Grant>) => ({ details: changedDetails((await write).user, organizationId()) })

  type Parts = ReturnType<typeof partsOf>

  /** Does something to a grant that the caller may change. @throws StatusError; GrantNotFound */
  function change<T>(caller: Caller, grantId: string, userId: string | undefined, work: (parts: Parts) => Promise<T>): Promise<T> {
    const parts = partsOf(grantId, userId)
    return regrant(needs, caller, parts, () => work(parts))
  }

  async function queryOf({ query }: UserGrantQuery): Promise<GrantQuery> {
    switch (query.case) {
      case 'projectIdQuery':
        return { projectIds: [query.value.projectId] }
      case 'userIdQuery':
        return ofUsers([query.value.userId])
      case 'roleKeyQuery':
        return byRole(query.value.roleKey, query.value.method)
      case 'userNameQuery':
        return byText('username', query.value.userName, query.value.method)
      case 'firstNameQuery':
        return byText('givenName', query.value.firstName, query.value.method)
      case 'lastNameQuery':
        return byText('familyName', query.value.lastName, query.value.method)
      case 'displayNameQuery':
        return byText('displayName', query.value.displayName, query.value.method)
      case 'emailQuery':
        return byText('email', query.value.email, query.value.method)
      case 'userTypeQuery':
        return ofType(query.value.type === Type.MACHINE ? 'machine' : 'human')
      case 'projectNameQuery':
        return byProjectName(needs, query.value.projectName, query.value.method)
      case 'orgNameQuery':
        return either(passes((await catalogue.root()).organization.name, query.value.orgName, query.value.method))
      case 'orgDomainQuery':
        return either(passes((await catalogue.root()).organization.primaryDomain, query.value.orgDomain, query.value.method))
      // There are no projects of other organizations.
      case 'projectGrantIdQuery':
        return either(false)
      default:
        return either(true)
    }
  }

  return [
    handlerOf(method.getUserGrantByID, async ({ userId, grantId }) => {
      const { projectId } = partsOf(grantId, userId)
      return { userGrant: messageOf(await grants.get(userId as UserId, projectId), await catalogue.root()) }
    }),

    handlerOf(method.listUserGrants, async ({ query, queries }) => {
      const search = together(await Promise.all(few(queries).map(queryOf)))
      const [found, root] = await Promise.all([grants.search({ ...search, ...listQueryOf(query) }), catalogue.root()])
      return { details: listDetails(found.total, now()), result: found.grants.map((grant) => messageOf(grant, root)) }
    }),

    handlerOf(method.addUserGrant, async ({ userId, projectId, projectGrantId, roleKeys }, caller) => {
      if (projectGrantId !== '') throw new StatusError('unimplemented', 'projectGrantId: there are no projects of other organizations')
      await assertMayGrant(needs, caller, userId, projectId, roleKeys)
      const grant = await grants.add(userId as UserId, projectId, roleKeys, actorOf(caller))
      const { sequence, changedAt } = grant.user
      return { userGrantId: grant.id, details: createdDetails({ sequence, createdAt: changedAt }, organizationId()) }
    }),

    handlerOf(method.updateUserGrant, async ({ userId, grantId, roleKeys }, caller) => {
      await assertMayGrant(needs, caller, userId, partsOf(grantId, userId).projectId, roleKeys)
      return changed(change(caller, grantId, userId, (parts) => grants.change(parts.userId, parts.projectId, roleKeys, actorOf(caller))))
    }),

    handlerOf(method.deactivateUserGrant, async ({ userId, grantId }, caller) =>
      changed(change(caller, grantId, userId, (parts) => grants.deactivate(parts.userId, parts.projectId, actorOf(caller)))),
    ),

    handlerOf(method.reactivateUserGrant, async ({ userId, grantId }, caller) =>
      changed(change(caller, grantId, userId, (parts) => grants.reactivate(parts.userId, parts.projectId, actorOf(caller)))),
    ),

    handlerOf(method.removeUserGrant, async ({ userId, grantId }, caller) => {
      const user = await change(caller, grantId, userId, (parts) => grants.remove(parts.userId, parts.projectId, actorOf(caller)))
      return { details: changedDetails(user, organizationId()) }
    }),

    handlerOf(method.bulkRemoveUserGrant, async ({ grantId }, caller) => {
      const all = new Set(grantId)
      // All are looked at before one is taken.
      for (const id of all) await change(caller, id, undefined, async () => undefined)
      for (const id of all) await change(caller, id, undefined, (parts) => grants.remove(parts.userId, parts.projectId, actorOf(caller)))
      return {}
    }),
  ]
}

function messageOf({ id, user, projectId, roles, active }: Grant, { organization, projects }: CatalogueRootView) {
  const { id: orgId, name: orgName, primaryDomain: orgDomain } = organization
  const { givenName, familyName, email, picture } = user.profile
  return {
    id,
    details: detailsOf(user, orgId),
    roleKeys: [...roles],
    state: active ? UserGrantState.ACTIVE : UserGrantState.INACTIVE,
    userId: user.id,
    userName: user.username,
    firstName: givenName,
    lastName: familyName,
    email,
    displayName: displayNameOf(user),
    orgId,
    orgName,
    orgDomain,
    projectId,
    projectName: projects.get(projectId)?.name,
    avatarUrl: picture,
    preferredLoginName: user.username,
    userType: user.kind === 'machine' ? Type.MACHINE : Type.HUMAN,
  } satisfies MessageInitShape<typeof UserGrantSchema>
}
