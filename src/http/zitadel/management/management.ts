/** The API of the first version for managers: `/management/v1`. */
import type { HandlerNeeds } from '../handlers.ts'
import { appKeyHandlers } from './appKeys.ts'
import { appHandlers } from './apps.ts'
import { grantHandlers } from './grants.ts'
import { instanceHandlers } from './instance.ts'
import { machineHandlers } from './machines.ts'
import { metadataHandlers } from './metadata.ts'
import { newUserHandlers } from './newUsers.ts'
import { passwordHandlers } from './passwords.ts'
import { profileHandlers } from './profiles.ts'
import { projectHandlers } from './projects.ts'
import { roleHandlers } from './roles.ts'
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
  ...projectHandlers(needs),
  ...roleHandlers(needs),
  ...appHandlers(needs),
  ...appKeyHandlers(needs),
  ...grantHandlers(needs),
  ...instanceHandlers(needs),
]
