/** What people see of themselves: their account, its history and their sessions. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { AuthService } from '@zitadel/proto/zitadel/auth_pb.js'
import { SessionState } from '@zitadel/proto/zitadel/user_pb.js'
import { changesOf } from '../changes.ts'
import { listDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { displayNameOf } from '../profile.ts'
import { firstUserOf } from '../userMessage.ts'

export function userHandlers(needs: HandlerNeeds) {
  const { method } = AuthService
  const { sessions, now, organizationId } = needs

  return [
    handlerOf(method.getMyUser, async (_, { user }) => ({ user: firstUserOf(user, organizationId()) })),

    handlerOf(method.listMyUserChanges, async ({ query }, { user }) => ({ result: await changesOf(needs, user.id, query) })),

    handlerOf(method.listMyUserSessions, async (_, { user }) => {
      const found = await sessions.list(user.id)
      return {
        result: found.map(({ id, signedInAt }) => ({
          sessionId: id,
          authState: SessionState.ACTIVE,
          userId: user.id,
          userName: user.username,
          loginName: user.username,
          displayName: displayNameOf(user),
          avatarUrl: user.profile.picture,
          details: {
            creationDate: timestampFromDate(signedInAt),
            changeDate: timestampFromDate(signedInAt),
            resourceOwner: organizationId(),
          },
        })),
      }
    }),

    // A password is all that people sign in with.
    handlerOf(method.listMyAuthFactors, async () => ({})),
    handlerOf(method.listMyLinkedIDPs, async () => ({ details: listDetails(0, now()) })),
  ]
}
