/** Switching users off and on, and removing them, by the second API. */
import { changedDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { createMoves, removeUser } from '../states.ts'
import { UserService } from './service.ts'

export function stateHandlers(needs: HandlerNeeds) {
  const { method } = UserService
  const { deactivate, reactivate, lock, unlock } = createMoves(needs, {
    deactivate: 'COMMAND-5gunjw0cd7',
    reactivate: 'COMMAND-s5qqcz97hf',
    lock: 'COMMAND-lgws8wtsqf',
    unlock: 'COMMAND-olb9vb0oca',
  })
  const changed = async (change: Promise<Parameters<typeof changedDetails>[0]>) => ({
    details: changedDetails(await change, needs.organizationId()),
  })

  return [
    handlerOf(method.deactivateUser, ({ userId }, caller) => changed(deactivate(caller, userId))),
    handlerOf(method.reactivateUser, ({ userId }, caller) => changed(reactivate(caller, userId))),
    handlerOf(method.lockUser, ({ userId }, caller) => changed(lock(caller, userId))),
    handlerOf(method.unlockUser, ({ userId }, caller) => changed(unlock(caller, userId))),
    handlerOf(method.deleteUser, ({ userId }, caller) => changed(removeUser(needs, caller, userId))),
  ]
}
