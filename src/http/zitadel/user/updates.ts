/** Changing users by the second API. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { SetHumanEmail } from '@zitadel/proto/zitadel/user/v2/email_pb.js'
import type { SetPassword } from '@zitadel/proto/zitadel/user/v2/password_pb.js'
import type { SetHumanPhone } from '@zitadel/proto/zitadel/user/v2/phone_pb.js'
import type { Profile, User } from '#src/domain/users/user.ts'
import type { UserEdit } from '#src/domain/users/users.ts'
import type { Caller } from '../authenticate.ts'
import { verificationOf } from '../contacts.ts'
import { changedDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { assertSettable, setPassword, wantedPasswordOf } from '../passwords.ts'
import { type GivenProfile, withContact, withMachine, withoutPhone, withProfile } from '../profile.ts'
import { actorOf, assertKind, changeable } from '../users.ts'
import { UserService } from './service.ts'

interface GivenPerson {
  readonly profile?: GivenProfile
  readonly email?: SetHumanEmail
  readonly phone?: SetHumanPhone
  readonly password?: SetPassword
}

export function updateHandlers(needs: HandlerNeeds) {
  const { method } = UserService
  const { users, codes, organizationId } = needs

  /** Everything but the password is one change. */
  async function updatePerson(user: User, username: string | undefined, person: GivenPerson, caller: Caller) {
    assertKind(user, 'human')
    const { email, phone, password } = person
    const wanted = password && wantedPasswordOf(password.passwordType)
    if (wanted) assertSettable(wanted)
    let changed = await users.edit(user.id, { ...named(username), profile: (profile) => profileOf(profile, person) }, actorOf(caller))
    if (wanted) changed = await setPassword(needs, caller, changed, wanted, password.verification)
    const emailCode = email && verificationOf(email.verification) === 'code' && (await codes.issue(user.id, 'email', email.email))
    const phoneCode = phone?.phone && verificationOf(phone.verification) === 'code' && (await codes.issue(user.id, 'phone', phone.phone))
    return { user: changed, ...(emailCode && { emailCode }), ...(phoneCode && { phoneCode }) }
  }

  return [
    handlerOf(method.updateUser, async ({ userId, username, userType }, caller) => {
      const before = await changeable(needs, caller, userId)
      if (userType.case === 'human') {
        const { user, ...codesOf } = await updatePerson(before, username, userType.value, caller)
        return { changeDate: timestampFromDate(user.changedAt), ...codesOf }
      }
      const machine = userType.case === 'machine' ? userType.value : undefined
      if (machine) assertKind(before, 'machine')
      const profile = (current: Profile) => (machine ? withMachine(current, machine.name, machine.description) : current)
      const edit = { ...named(username), profile }
      return { changeDate: timestampFromDate((await users.edit(before.id, edit, actorOf(caller))).changedAt) }
    }),

    handlerOf(method.updateHumanUser, async ({ userId, username, ...person }, caller) => {
      const { user, ...codesOf } = await updatePerson(await changeable(needs, caller, userId), username, person, caller)
      return { details: changedDetails(user, organizationId()), ...codesOf }
    }),
  ]
}

const named = (username: string | undefined): Pick<UserEdit, 'username'> => (username === undefined ? {} : { username })

function profileOf(before: Profile, { profile, email, phone }: GivenPerson): Profile {
  let made = profile ? withProfile(before, profile) : before
  if (email) made = withContact(made, 'email', email.email, verificationOf(email.verification) === 'verified')
  if (!phone) return made
  // An empty number takes the number away.
  return phone.phone === ''
    ? withoutPhone(made)
    : withContact(made, 'phone', phone.phone, verificationOf(phone.verification) === 'verified')
}
