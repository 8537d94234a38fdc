/** Switching users off and on, and removing them, for managers. */
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { changedDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { createMoves, removeUser } from '../states.ts'

export function stateHandlers(needs: HandlerNeeds) {
  const { method } = ManagementService
  const { deactivate, reactivate, lock, unlock } = createMoves(needs, {
    deactivate: 'COMMAND-5M0sf',
    reactivate: 'COMMAND-6M0sf',
    lock: 'COMMAND-3NN8v',
    unlock: 'COMMAND-4M0dW',
  })
  const changed = async (change: Promise<Parameters<typeof changedDetails>[0]>) => ({
    details: changedDetails(await change, needs.organizationId()),
  })

  return [
    handlerOf(method.deactivateUser, ({ id }, caller) => changed(deactivate(caller, id))),
    handlerOf(method.reactivateUser, ({ id }, caller) => changed(reactivate(caller, id))),
    handlerOf(method.lockUser, ({ id }, caller) => changed(lock(caller, id))),
    handlerOf(method.unlockUser, ({ id }, caller) => changed(unlock(caller, id))),
    handlerOf(method.removeUser, ({ id }, caller) => changed(removeUser(needs, caller, id))),
  ]
}
