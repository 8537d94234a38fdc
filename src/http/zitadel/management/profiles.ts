/** What is told about people, for managers: name, profile, addresses. */
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { removePhone, setContact } from '../contacts.ts'
import { changedDetails, detailsOf } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { withProfile } from '../profile.ts'
import { firstEmailOf, firstPhoneOf, firstProfileOf } from '../userMessage.ts'
import { actorOf, changeable, existingPerson } from '../users.ts'

export function profileHandlers(needs: HandlerNeeds) {
  const { method } = ManagementService
  const { users, organizationId } = needs
  const changed = (user: Parameters<typeof changedDetails>[0]) => ({ details: changedDetails(user, organizationId()) })

  return [
    handlerOf(method.updateUserName, async ({ userId, userName }, caller) => {
      const { id } = await changeable(needs, caller, userId)
      return changed(await users.edit(id, { username: userName }, actorOf(caller)))
    }),

    handlerOf(method.getHumanProfile, async ({ userId }) => {
      const user = await existingPerson(needs, userId)
      return { details: detailsOf(user, organizationId()), profile: firstProfileOf(user) }
    }),

    handlerOf(
      method.updateHumanProfile,
      async ({ userId, firstName, lastName, nickName, displayName, preferredLanguage, gender }, caller) => {
        const { id } = await changeable(needs, caller, userId, 'human')
        const given = { givenName: firstName, familyName: lastName, nickName, displayName, preferredLanguage, gender }
        return changed(await users.edit(id, { profile: (profile) => withProfile(profile, given) }, actorOf(caller)))
      },
    ),

    handlerOf(method.getHumanEmail, async ({ userId }) => {
      const user = await existingPerson(needs, userId)
      return { details: detailsOf(user, organizationId()), email: firstEmailOf(user) }
    }),

    handlerOf(method.updateHumanEmail, async ({ userId, email, isEmailVerified }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return changed((await setContact(needs, caller, user, 'email', email, isEmailVerified ? 'verified' : 'none')).user)
    }),

    handlerOf(method.getHumanPhone, async ({ userId }) => {
      const user = await existingPerson(needs, userId)
      return { details: detailsOf(user, organizationId()), phone: firstPhoneOf(user) }
    }),

    handlerOf(method.updateHumanPhone, async ({ userId, phone, isPhoneVerified }, caller) => {
      const user = await changeable(needs, caller, userId, 'human')
      return changed((await setContact(needs, caller, user, 'phone', phone, isPhoneVerified ? 'verified' : 'none')).user)
    }),

    handlerOf(method.removeHumanPhone, async ({ userId }, caller) =>
      changed(await removePhone(needs, caller, await changeable(needs, caller, userId, 'human'))),
    ),
  ]
}
