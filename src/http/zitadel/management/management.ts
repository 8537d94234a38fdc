/** The API of the first version for managers: `/management/v1`. */
import type { HandlerNeeds } from '../handlers.ts'
import { appKeyHandlers } from './appKeys.ts'
import { appHandlers } from './apps.ts'
import { grantHandlers } from './grants.ts'
import { instanceHandlers } from './instance.ts'
import { metadataHandlers } from './metadata.ts'
import { projectHandlers } from './projects.ts'
import { roleHandlers } from './roles.ts'

export const managementHandlers = (needs: HandlerNeeds) => [
  ...metadataHandlers(needs),
  ...projectHandlers(needs),
  ...roleHandlers(needs),
  ...appHandlers(needs),
  ...appKeyHandlers(needs),
  ...grantHandlers(needs),
  ...instanceHandlers(needs),
]
