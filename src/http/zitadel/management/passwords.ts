/** Passwords of people and what else they sign in with, for managers. */
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import type { Caller } from '../authenticate.ts'
import { changedDetails, listDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { setPassword } from '../passwords.ts'
import { changeable, existing } from '../users.ts'

export function passwordHandlers(needs: HandlerNeeds) {
  const { method } = ManagementService
  const { now, organizationId } = needs

  async function set({ userId, password }: { readonly userId: string; readonly password: string }, caller: Caller) {
    const user = await changeable(needs, caller, userId, 'human')
    return { details: changedDetails(await setPassword(needs, caller, user, { password }, {}), organizationId()) }
  }

  return [
    handlerOf(method.setHumanPassword, set),
    handlerOf(method.setHumanInitialPassword, set),

    // A password is all that people sign in with.
    handlerOf(method.listHumanAuthFactors, async ({ userId }) => {
      await existing(needs, userId)
      return {}
    }),
    handlerOf(method.listHumanLinkedIDPs, async ({ userId }) => {
      await existing(needs, userId)
      return { details: listDetails(0, now()) }
    }),
  ]
}
