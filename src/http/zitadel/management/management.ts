/** The API of the first version for managers: `/management/v1`. */
import type { HandlerNeeds } from '../handlers.ts'
import { machineHandlers } from './machines.ts'
import { metadataHandlers } from './metadata.ts'
import { newUserHandlers } from './newUsers.ts'
import { passwordHandlers } from './passwords.ts'
import { profileHandlers } from './profiles.ts'
import { stateHandlers } from './states.ts'
import { userHandlers } from './users.ts'

export const managementHandlers = (needs: HandlerNeeds) => [
  ...metadataHandlers(needs),
  ...userHandlers(needs),
  ...newUserHandlers(needs),
  ...profileHandlers(needs),
  ...stateHandlers(needs),
  ...passwordHandlers(needs),
  ...machineHandlers(needs),
]
