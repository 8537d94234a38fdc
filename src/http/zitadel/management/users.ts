/** Finding users, for managers, and what happened to them. */
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { changesOf } from '../changes.ts'
import { listDetails } from '../details.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { membershipsOf } from '../memberships.ts'
import { listQueryOf } from '../pagination.ts'
import { firstUserOf } from '../userMessage.ts'
import { filterOf, sortOf } from '../userSearch.ts'
import { existing } from '../users.ts'

export function userHandlers(needs: HandlerNeeds) {
  const { method } = ManagementService
  const { users, now, organizationId } = needs

  return [
    handlerOf(method.getUserByID, async ({ id }) => ({ user: firstUserOf(await existing(needs, id), organizationId()) })),

    handlerOf(method.getUserByLoginNameGlobal, async ({ loginName }) => {
      const user = await users.findByUsername(loginName)
      if (!user) throw new StatusError('notFound', 'User could not be found', { id: 'QUERY-Dfbg2' })
      return { user: firstUserOf(user, organizationId()) }
    }),

    handlerOf(method.listUsers, async ({ query, sortingColumn, queries }) => {
      const filter = filterOf(queries, organizationId())
      const found = await users.search({ filter, sort: sortOf(sortingColumn), ...listQueryOf(query) })
      return {
        details: listDetails(found.total, now()),
        sortingColumn,
        result: found.users.map((user) => firstUserOf(user, organizationId())),
      }
    }),

    // A name or an address that somebody else has in other letters is taken too.
    handlerOf(method.isUserUnique, async ({ userName, email }) => {
      const named = userName === '' ? [] : ([{ kind: 'text', field: 'username', text: userName, method: 'equalsIgnoreCase' }] as const)
      const reached = email === '' ? [] : ([{ kind: 'emails', emails: [email] }] as const)
      const filter = { kind: 'or', filters: [...named, ...reached] } as const
      const { users: found } = await users.search({ filter, sort: 'createdAt', ascending: true, offset: 0, limit: 1 })
      return { isUnique: found.length === 0 }
    }),

    handlerOf(method.listUserChanges, async ({ userId, query }) => ({ result: await changesOf(needs, userId, query) })),

    handlerOf(method.listUserMemberships, async ({ userId, query, queries }) =>
      membershipsOf(needs, await existing(needs, userId), query, queries),
    ),
  ]
}
