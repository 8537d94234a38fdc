/** The API of the first version for everybody about themselves: `/auth/v1`. */
import type { HandlerNeeds } from '../handlers.ts'
import { getMyMetadata } from './getMyMetadata.ts'
import { listMyMetadata } from './listMyMetadata.ts'
import { permissionHandlers } from './permissions.ts'
import { profileHandlers } from './profiles.ts'
import { userHandlers } from './users.ts'

export const authHandlers = (needs: HandlerNeeds) => [
  listMyMetadata(needs),
  getMyMetadata(needs),
  ...userHandlers(needs),
  ...profileHandlers(needs),
  ...permissionHandlers(needs),
]
