/** What people tell about themselves: profile, addresses, password. */
import { AuthService } from '@zitadel/proto/zitadel/auth_pb.js'
import type { Caller } from '../authenticate.ts'
import { removePhone, setContact, verifyContact } from '../contacts.ts'
import { changedDetails, detailsOf } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { setPassword } from '../passwords.ts'
import { displayNameOf, withProfile } from '../profile.ts'
import { assertSelfManaged } from '../selfManaged.ts'
import { firstEmailOf, firstPhoneOf, firstProfileOf } from '../userMessage.ts'
import { actorOf, assertKind } from '../users.ts'

/** What `UpdateMyProfile` may change. */
const fields = ['givenName', 'familyName', 'nickName', 'displayName', 'locale', 'gender'] as const

export function profileHandlers(needs: HandlerNeeds) {
  const { method } = AuthService
  const { users, organizationId } = needs
  const changed = (user: Parameters<typeof changedDetails>[0]) => ({ details: changedDetails(user, organizationId()) })

  /** The caller, who has to be a person. */
  function person({ user }: Caller) {
    assertKind(user, 'human')
    return user
  }

  return [
    handlerOf(method.getMyProfile, async (_, caller) => {
      const user = person(caller)
      return { details: detailsOf(user, organizationId()), profile: firstProfileOf(user) }
    }),

    handlerOf(method.updateMyProfile, async ({ firstName, lastName, nickName, displayName, preferredLanguage, gender }, caller) => {
      const given = { givenName: firstName, familyName: lastName, nickName, displayName, preferredLanguage, gender }
      const user = person(caller)
      // The name that is seen may be made of the others: to send it back is no change.
      const before = { ...user.profile, displayName: displayNameOf(user) }
      const after = withProfile(before, given)
      await assertSelfManaged(
        needs,
        caller,
        fields.filter((field) => after[field] !== before[field]),
      )
      return changed(await users.edit(person(caller).id, { profile: (profile) => withProfile(profile, given) }, actorOf(caller)))
    }),

    handlerOf(method.getMyEmail, async (_, caller) => {
      const user = person(caller)
      return { details: detailsOf(user, organizationId()), email: firstEmailOf(user) }
    }),

    handlerOf(method.setMyEmail, async ({ email }, caller) =>
      changed((await setContact(needs, caller, person(caller), 'email', email, 'none')).user),
    ),

    handlerOf(method.verifyMyEmail, async ({ code }, caller) => changed(await verifyContact(needs, caller, person(caller), 'email', code))),

    handlerOf(method.getMyPhone, async (_, caller) => {
      const user = person(caller)
      return { details: detailsOf(user, organizationId()), phone: firstPhoneOf(user) }
    }),

    handlerOf(method.setMyPhone, async ({ phone }, caller) =>
      changed((await setContact(needs, caller, person(caller), 'phone', phone, 'none')).user),
    ),

    handlerOf(method.verifyMyPhone, async ({ code }, caller) => changed(await verifyContact(needs, caller, person(caller), 'phone', code))),

    handlerOf(method.removeMyPhone, async (_, caller) => changed(await removePhone(needs, caller, person(caller)))),

    handlerOf(method.updateMyPassword, async ({ oldPassword, newPassword }, caller) => {
      const proof = { case: 'currentPassword', value: oldPassword } as const
      return changed(await setPassword(needs, caller, person(caller), { password: newPassword }, proof))
    }),
  ]
}
