/** New users, for managers. */

import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { AccessTokenType } from '@zitadel/proto/zitadel/user_pb.js'
import type { Profile } from '#src/domain/users/user.ts'
import { createdDetails } from '../details.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { type GivenProfile, withContact, withMachine, withProfile } from '../profile.ts'
import { actorOf } from '../users.ts'

interface GivenPerson {
  readonly profile?: Omit<GivenProfile, 'givenName' | 'familyName'> & { readonly firstName: string; readonly lastName: string }
  readonly email?: { readonly email: string; readonly isEmailVerified: boolean }
  readonly phone?: { readonly phone: string; readonly isPhoneVerified: boolean }
}

export function newUserHandlers({ users, organizationId }: HandlerNeeds) {
  const { method } = ManagementService

  return [
    handlerOf(method.addHumanUser, async ({ userName, initialPassword, ...person }, caller) => {
      const password = initialPassword === '' ? {} : { password: initialPassword }
      const user = await users.create({ kind: 'human', username: userName, profile: profileOf(person), ...password }, actorOf(caller))
      return { userId: user.id, details: createdDetails(user, organizationId()) }
    }),

    handlerOf(method.importHumanUser, async (request, caller) => {
      const { userName, password, hashedPassword, otpCode, idps, requestPasswordlessRegistration, ...person } = request
      if (otpCode !== '' || idps.length > 0 || requestPasswordlessRegistration)
        throw new StatusError(
          'unimplemented',
          'otpCode, idps and requestPasswordlessRegistration: a password is all that people sign in with here',
        )
      const secret = hashedPassword?.value ? { passwordHash: hashedPassword.value } : password === '' ? {} : { password }
      const user = await users.create({ kind: 'human', username: userName, profile: profileOf(person), ...secret }, actorOf(caller))
      return { userId: user.id, details: createdDetails(user, organizationId()) }
    }),

    handlerOf(method.addMachineUser, async ({ userName, name, description, accessTokenType, userId }, caller) => {
      assertOpaque(accessTokenType)
      const profile = withMachine({}, name, description)
      const user = await users.create({ kind: 'machine', username: userName, profile, ...(userId && { id: userId }) }, actorOf(caller))
      return { userId: user.id, details: createdDetails(user, organizationId()) }
    }),
  ]
}

/** @throws StatusError 501 */
export function assertOpaque(type: AccessTokenType): void {
  if (type === AccessTokenType.JWT) throw new StatusError('unimplemented', 'accessTokenType: machine users get opaque tokens')
}

function profileOf({ profile, email, phone }: GivenPerson): Profile {
  const { firstName: givenName, lastName: familyName, ...rest } = profile ?? { firstName: '', lastName: '' }
  const { nickName, displayName, preferredLanguage, gender } = rest
  let made = withProfile({}, { givenName, familyName, nickName, displayName, preferredLanguage, gender })
  if (email) made = withContact(made, 'email', email.email, email.isEmailVerified)
  return phone ? withContact(made, 'phone', phone.phone, phone.isPhoneVerified) : made
}
