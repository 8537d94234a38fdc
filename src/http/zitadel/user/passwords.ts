/** Passwords by the second API. */
import { cannotSend } from '../contacts.ts'
import { changedDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { newPasswordCode, setPassword } from '../passwords.ts'
import { changeable } from '../users.ts'
import { UserService } from './service.ts'

export function passwordHandlers(needs: HandlerNeeds) {
  const { method } = UserService

  return [
    handlerOf(method.passwordReset, async ({ userId, medium }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      if (medium.case !== 'returnCode') throw cannotSend()
      return { details: changedDetails(user, needs.organizationId()), verificationCode: await newPasswordCode(needs, user) }
    }),

    handlerOf(method.setPassword, async ({ userId, newPassword, verification }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      const changed = await setPassword(needs, caller, user, { password: newPassword?.password ?? '' }, verification)
      return { details: changedDetails(changed, needs.organizationId()) }
    }),
  ]
}
