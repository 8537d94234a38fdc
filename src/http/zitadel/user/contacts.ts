/** E-mail addresses and phone numbers by the second API. */
import type { User } from '#src/domain/users/user.ts'
import { newContactCode, removePhone, setContact, verificationOf, verifyContact } from '../contacts.ts'
import { changedDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { changeable } from '../users.ts'
import { UserService } from './service.ts'

export function contactHandlers(needs: HandlerNeeds) {
  const { method } = UserService
  const changed = (user: User) => ({ details: changedDetails(user, needs.organizationId()) })
  const withCode = ({ user, code }: { readonly user: User; readonly code?: string }) => ({
    ...changed(user),
    ...(code !== undefined && { verificationCode: code }),
  })

  return [
    handlerOf(method.setEmail, async ({ userId, email, verification }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return withCode(await setContact(needs, caller, user, 'email', email, verificationOf(verification)))
    }),

    handlerOf(method.resendEmailCode, async ({ userId, verification }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return withCode({ user, code: await newContactCode(needs, user, 'email', verificationOf(verification)) })
    }),

    handlerOf(method.sendEmailCode, async ({ userId, verification }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return withCode({ user, code: await newContactCode(needs, user, 'email', verificationOf(verification)) })
    }),

    handlerOf(method.verifyEmail, async ({ userId, verificationCode }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return changed(await verifyContact(needs, caller, user, 'email', verificationCode))
    }),

    handlerOf(method.setPhone, async ({ userId, phone, verification }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return withCode(await setContact(needs, caller, user, 'phone', phone, verificationOf(verification)))
    }),

    handlerOf(method.removePhone, async ({ userId }, caller) =>
      changed(await removePhone(needs, caller, await changeable(needs, caller, userId, 'human'))),
    ),

    handlerOf(method.resendPhoneCode, async ({ userId, verification }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return withCode({ user, code: await newContactCode(needs, user, 'phone', verificationOf(verification)) })
    }),

    handlerOf(method.verifyPhone, async ({ userId, verificationCode }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return changed(await verifyContact(needs, caller, user, 'phone', verificationCode))
    }),
  ]
}
