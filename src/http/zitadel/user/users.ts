/** Finding users by the second API. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { AuthenticationMethodType } from '@zitadel/proto/zitadel/user/v2/user_service_pb.js'
import { detailsOf } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { paginationOf } from '../pagination.ts'
import { userOf } from '../userMessage.ts'
import { filterOf, sortOf } from '../userSearch.ts'
import { existing } from '../users.ts'
import { UserService } from './service.ts'

export function userHandlers(needs: HandlerNeeds) {
  const { method } = UserService
  const { users, now, organizationId } = needs
  const listDetails = (total: number) => ({ totalResult: BigInt(total), timestamp: timestampFromDate(now()) })

  return [
    handlerOf(method.getUserByID, async ({ userId }) => {
      const user = await existing(needs, userId)
      return { details: detailsOf(user, organizationId()), user: userOf(user, organizationId()) }
    }),

    handlerOf(method.listUsers, async ({ query, sortingColumn, queries }) => {
      const filter = filterOf(queries, organizationId())
      const found = await users.search({ filter, sort: sortOf(sortingColumn), ...paginationOf(query) })
      return { details: listDetails(found.total), sortingColumn, result: found.users.map((user) => userOf(user, organizationId())) }
    }),

    handlerOf(method.listAuthenticationMethodTypes, async ({ userId }) => {
      const { passwordHash } = await existing(needs, userId)
      const authMethodTypes = passwordHash === undefined ? [] : [AuthenticationMethodType.PASSWORD]
      return { details: listDetails(authMethodTypes.length), authMethodTypes }
    }),

    // A password is all that people sign in with.
    handlerOf(method.listAuthenticationFactors, async ({ userId }) => {
      await existing(needs, userId)
      return {}
    }),
    handlerOf(method.listIDPLinks, async ({ userId }) => {
      await existing(needs, userId)
      return { details: listDetails(0) }
    }),
    handlerOf(method.listPasskeys, async ({ userId }) => {
      await existing(needs, userId)
      return { details: listDetails(0) }
    }),
  ]
}
