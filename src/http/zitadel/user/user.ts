/** Users by the second API: `zitadel.user.v2.UserService`. */
import type { HandlerNeeds } from '../handlers.ts'
import { metadataHandlers } from './metadata.ts'

export const userHandlers = (needs: HandlerNeeds) => [...metadataHandlers(needs)]
