/** The API of the first version for managers: `/management/v1`. */
import type { HandlerNeeds } from '../handlers.ts'
import { metadataHandlers } from './metadata.ts'

export const managementHandlers = (needs: HandlerNeeds) => [...metadataHandlers(needs)]
