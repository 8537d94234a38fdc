/** What people may do: roles that they hold in projects, and what they manage here. */
import { getOption, type MessageInitShape } from '@bufbuild/protobuf'
import { AuthService, type UserGrantSchema } from '@zitadel/proto/zitadel/auth_pb.js'
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { auth_option } from '@zitadel/proto/zitadel/options_pb.js'
import { Type, UserGrantState } from '@zitadel/proto/zitadel/user_pb.js'
import { heldIn } from '#src/domain/applications/heldRoles.ts'
import { grantIdOf } from '#src/domain/users/grants.ts'
import { detailsOf, listDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { membershipsOf } from '../memberships.ts'
import { cut, listQueryOf } from '../pagination.ts'

export function permissionHandlers(needs: HandlerNeeds) {
  const { method } = AuthService
  const { catalogue, now, ownProjectId, organizationId } = needs

  return [
    handlerOf(method.listMyUserGrants, async ({ query }, { user }) => {
      const part = listQueryOf(query)
      const { organization } = await catalogue.root()
      const held = Object.entries(user.roles).filter(([projectId]) => projectId !== ownProjectId())
      const grants = await Promise.all(
        held.map(
          async ([projectId, roles]): Promise<MessageInitShape<typeof UserGrantSchema>> => ({
            grantId: grantIdOf(user.id, projectId),
            userId: user.id,
            userType: user.kind === 'machine' ? Type.MACHINE : Type.HUMAN,
            projectId,
            projectName: (await catalogue.findProject(projectId))?.name,
            roles: [...roles],
            roleKeys: [...roles],
            orgId: organization.id,
            orgName: organization.name,
            orgDomain: organization.primaryDomain,
            state: user.inactiveGrants?.includes(projectId) ? UserGrantState.INACTIVE : UserGrantState.ACTIVE,
            details: detailsOf(user, organizationId()),
          }),
        ),
      )
      return { details: listDetails(grants.length, now()), result: [...cut(grants, part)] }
    }),

    handlerOf(method.listMyMemberships, async ({ query, queries }, { user }) => membershipsOf(needs, user, query, queries)),

    handlerOf(method.listMyZitadelPermissions, async (_, caller) => ({ result: managedPermissions().filter(caller.may) })),

    // Of the project of the application that the token was made for.
    handlerOf(method.listMyProjectPermissions, async (_, { user, clientId }) => {
      const view = clientId === undefined ? undefined : await catalogue.find(clientId)
      return { result: [...heldIn(user, view?.project)] }
    }),
  ]
}

/** Every permission that an RPC for managers asks for. */
function managedPermissions(): readonly string[] {
  const asked = ManagementService.methods.map((rpc) => getOption(rpc, auth_option).permission)
  return [...new Set(asked)].filter((permission) => permission !== '' && permission !== 'authenticated').toSorted()
}
