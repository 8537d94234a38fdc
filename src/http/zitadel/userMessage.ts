/** Users as ZITADEL's messages have them. Nothing secret is in them. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { UserSchema } from '@zitadel/proto/zitadel/user/v2/user_pb.js'
import type { UserSchema as FirstUserSchema } from '@zitadel/proto/zitadel/user_pb.js'
import type { User } from '#src/domain/users/user.ts'
import { detailsOf } from './details.ts'
import { displayNameOf, genderNumber } from './profile.ts'
import { stateNumbers } from './userSearch.ts'

/** A person's profile as the first API tells it. */
export const firstProfileOf = (user: User) => ({
  firstName: user.profile.givenName,
  lastName: user.profile.familyName,
  nickName: user.profile.nickName,
  displayName: displayNameOf(user),
  preferredLanguage: user.profile.locale,
  gender: genderNumber(user.profile),
  avatarUrl: user.profile.picture,
})

export const firstEmailOf = ({ profile }: User) => ({ email: profile.email, isEmailVerified: profile.emailVerified ?? false })

export const firstPhoneOf = ({ profile }: User) => ({ phone: profile.phone, isPhoneVerified: profile.phoneVerified ?? false })

const machineOf = (user: User) => ({
  name: displayNameOf(user),
  description: user.profile.description,
  hasSecret: user.secretHash !== undefined,
})

/** A user as the first API tells it. */
export function firstUserOf(user: User, resourceOwner: string): MessageInitShape<typeof FirstUserSchema> {
  return {
    id: user.id,
    details: detailsOf(user, resourceOwner),
    state: stateNumbers[user.state],
    userName: user.username,
    loginNames: [user.username],
    preferredLoginName: user.username,
    type:
      user.kind === 'machine'
        ? { case: 'machine', value: machineOf(user) }
        : {
            case: 'human',
            value: {
              profile: firstProfileOf(user),
              email: firstEmailOf(user),
              ...(user.profile.phone !== undefined && { phone: firstPhoneOf(user) }),
            },
          },
  }
}

/** A user as the second API tells it. */
export function userOf(user: User, resourceOwner: string): MessageInitShape<typeof UserSchema> {
  const { profile } = user
  return {
    userId: user.id,
    details: detailsOf(user, resourceOwner),
    state: stateNumbers[user.state],
    username: user.username,
    loginNames: [user.username],
    preferredLoginName: user.username,
    type:
      user.kind === 'machine'
        ? { case: 'machine', value: machineOf(user) }
        : {
            case: 'human',
            value: {
              profile: {
                givenName: profile.givenName,
                familyName: profile.familyName,
                nickName: profile.nickName,
                displayName: displayNameOf(user),
                preferredLanguage: profile.locale,
                ...(genderNumber(profile) !== 0 && { gender: genderNumber(profile) }),
                avatarUrl: profile.picture,
              },
              email: { email: profile.email, isVerified: profile.emailVerified ?? false },
              ...(profile.phone !== undefined && { phone: { phone: profile.phone, isVerified: profile.phoneVerified ?? false } }),
            },
          },
  }
}
