/** The API of the first version for everybody about themselves: `/auth/v1`. */
import type { HandlerNeeds } from '../handlers.ts'
import { getMyMetadata } from './getMyMetadata.ts'
import { listMyMetadata } from './listMyMetadata.ts'

export const authHandlers = (needs: HandlerNeeds) => [listMyMetadata(needs), getMyMetadata(needs)]
