/** Users by the second API: `zitadel.user.v2.UserService`. */
import type { HandlerNeeds } from '../handlers.ts'
import { contactHandlers } from './contacts.ts'
import { credentialHandlers } from './credentials.ts'
import { metadataHandlers } from './metadata.ts'
import { newUserHandlers } from './newUsers.ts'
import { passwordHandlers } from './passwords.ts'
import { stateHandlers } from './states.ts'
import { updateHandlers } from './updates.ts'
import { userHandlers as foundUserHandlers } from './users.ts'

export const userHandlers = (needs: HandlerNeeds) => [
  ...foundUserHandlers(needs),
  ...newUserHandlers(needs),
  ...updateHandlers(needs),
  ...contactHandlers(needs),
  ...passwordHandlers(needs),
  ...stateHandlers(needs),
  ...credentialHandlers(needs),
  ...metadataHandlers(needs),
]
