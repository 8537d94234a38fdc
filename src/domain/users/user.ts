/**
 * Users: people and service accounts, their credentials and their state.
 *
 * Owns who somebody is and whether they may act. Hands metadata to its own room and sessions to the engine. Knows no database, no
 * HTTP and no wire format.
 */
import type { Brand } from '#src/base/brand.ts'
import { DomainError } from '#src/base/errors.ts'
import { isEmailAddress, isLanguageTag, isPersonName, personNameReason } from '#src/base/forms.ts'
import type { Identity } from './identity.ts'
import type { MachineKey } from './machineKeys.ts'

export type UserId = Brand<string, 'UserId'>

/** `inactive` was switched off by an administrator; `locked` after too much went wrong. Neither may sign in or use a token. */
export type UserState = 'active' | 'inactive' | 'locked'

/** A postal address with the members of OpenID Connect Core, section 5.1.1. */
export interface PostalAddress {
  readonly formatted?: string
  readonly street_address?: string
  readonly locality?: string
  readonly region?: string
  readonly postal_code?: string
  readonly country?: string
}

/** What is told about somebody. A machine has a display name and a description only. */
export interface Profile {
  readonly displayName?: string
  /** Of a machine: what it is for. */
  readonly description?: string
  readonly givenName?: string
  readonly familyName?: string
  readonly nickName?: string
  readonly gender?: string
  /** A BCP 47 tag. */
  readonly locale?: string
  readonly picture?: string
  readonly address?: PostalAddress
  readonly email?: string
  readonly emailVerified?: boolean
  readonly phone?: string
  readonly phoneVerified?: boolean
}

/** One user as stored. `sequence` is the number of the last change; `changedAt` its time. */
export interface User {
  readonly id: UserId
  readonly kind: 'human' | 'machine'
  /** Unique without regard to case. */
  readonly username: string
  readonly state: UserState
  readonly profile: Profile
  /** A PHC string; absent when the user has no password. */
  readonly passwordHash?: string
  /** SHA-256 of the imported hash that the password came as. It outlives our own hash of the same password, which a sign-in puts in its place. */
  readonly passwordImport?: string
  /** SHA-256 of a machine's client secret, base64url; its client id is the username. */
  readonly secretHash?: string
  /** Of a machine, oldest first. */
  readonly machineKeys?: readonly MachineKey[]
  /** Role keys by project id. */
  readonly roles: Readonly<Record<string, readonly string[]>>
  /** Projects in which what was granted is switched off. */
  readonly inactiveGrants?: readonly string[]
  readonly admin: boolean
  /** Logins at providers, oldest first. */
  readonly identities?: readonly Identity[]
  /** The App Services app that the user came by. */
  readonly cameBy?: string
  /** When the user goes, who has asked for it; until then the state is `inactive`. */
  readonly deletionAt?: string
  /** The configuration file that made the user. */
  readonly provisionedBy?: string
  readonly sequence: number
  readonly createdAt: Date
  readonly changedAt: Date
}

/** Whether the user may sign in, and whether what they hold still works. */
export const isActive = (user: User) => user.state === 'active'

/** Whether the user has deleted their account, and may still think better of it. Whoever was locked meanwhile may not. */
export const isLeaving = ({ state, deletionAt }: User) => state === 'inactive' && deletionAt !== undefined

/** The form in which usernames and e-mail addresses are compared: NFKC, lower case. */
export const comparable = (text: string) => text.normalize('NFKC').toLowerCase()

export class UserNotFound extends DomainError {
  readonly code = 'user.not_found'
  readonly userId: string
  constructor(userId: string, options?: ErrorOptions) {
    super(`there is no user ${JSON.stringify(userId)}`, options)
    this.userId = userId
  }
}

export class UsernameTaken extends DomainError {
  readonly code = 'user.username_taken'
  constructor(username: string, options?: ErrorOptions) {
    super(`the username ${JSON.stringify(username)} is already taken`, options)
  }
}

export class UserIdTaken extends DomainError {
  readonly code = 'user.id_taken'
  constructor(id: string, options?: ErrorOptions) {
    super(`the user id ${id} is already taken`, options)
  }
}

/** What a person is called. */
const nameFields = ['givenName', 'familyName', 'nickName', 'displayName'] as const satisfies readonly (keyof Profile)[]

/**
 * What is told about somebody has the forms that the configuration file demands, whichever way it comes in. What somebody was called `before`, they may go on being called.
 * @throws UserInvalid
 */
export function assertAcceptableProfile(profile: Profile, before: Profile = {}): void {
  for (const field of nameFields) {
    const name = profile[field]
    if (name !== undefined && name !== before[field] && !isPersonName(name)) throw new UserInvalid(field, personNameReason)
  }
  for (const [field, value] of Object.entries({ ...profile, ...profile.address })) {
    if (typeof value === 'string' && (value === '' || value.length > 1000)) throw new UserInvalid(field, 'must have 1 to 1000 characters')
  }
  const { email, locale, picture } = profile
  if (email !== undefined && !isEmailAddress(email)) throw new UserInvalid('email', 'must be an e-mail address')
  if (locale !== undefined && !isLanguageTag(locale)) throw new UserInvalid('locale', 'must be a language tag (BCP 47) such as en or de-CH')
  if (picture !== undefined && !/^https?:$/.test(URL.canParse(picture) ? new URL(picture).protocol : '')) {
    throw new UserInvalid('picture', 'must be an http or https address')
  }
}

/** Somebody else logs in by this identity already. */
export class IdentityTaken extends DomainError {
  readonly code = 'user.identity_taken'
  constructor(options?: ErrorOptions) {
    super('somebody else logs in this way already', options)
  }
}

/** A field of a user is not acceptable; `field` names it. */
export class UserInvalid extends DomainError {
  readonly code = 'user.invalid'
  readonly field: string
  constructor(field: string, reason: string) {
    super(`${field}: ${reason}`)
    this.field = field
  }
}
