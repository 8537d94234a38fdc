/** What is told about somebody, in the words of both APIs. */
import type { Profile, User } from '#src/domain/users/user.ts'

/** By the number of ZITADEL's `Gender`. */
const genders = [undefined, 'female', 'male', 'diverse'] as const

export const genderNumber = ({ gender }: Profile): number =>
  Math.max(
    0,
    genders.findIndex((each) => each !== undefined && each === gender),
  )

/** ZITADEL's fields of a profile; what is left out stays as it is, and what is empty goes. */
export interface GivenProfile {
  readonly givenName?: string
  readonly familyName?: string
  readonly nickName?: string
  readonly displayName?: string
  readonly preferredLanguage?: string
  /** A number of ZITADEL's `Gender`. */
  readonly gender?: number
}

/** `profile` with what was given. Whoever has no display name gets their given and family name. */
export function withProfile(profile: Profile, given: GivenProfile): Profile {
  const { preferredLanguage, gender, ...names } = given
  const next: Record<string, unknown> = { ...profile }
  const put = (name: keyof Profile, value: string | undefined) => {
    if (value === '') delete next[name]
    else if (value !== undefined) next[name] = value
  }
  for (const [name, value] of Object.entries(names)) put(name as keyof Profile, value)
  put('locale', preferredLanguage)
  // A gender that ZITADEL has no word for is not taken away by a client that does not know it.
  if (gender !== undefined && (gender !== 0 || genderNumber(profile) !== 0)) put('gender', genders[gender] ?? '')
  const { givenName, familyName, displayName } = next as Profile
  if (displayName === undefined) put('displayName', [givenName, familyName].filter(Boolean).join(' '))
  return next as Profile
}

/** The name that people see. */
export const displayNameOf = ({ username, profile: { displayName, givenName, familyName } }: User): string =>
  displayName ?? ([givenName, familyName].filter(Boolean).join(' ') || username)

/** An address that a message reaches, with whether somebody has proved that it is theirs. */
export type ContactKind = 'email' | 'phone'

/** `profile` with an address. One that stays the same stays proved. */
export function withContact(profile: Profile, kind: ContactKind, address: string, isVerified: boolean): Profile {
  const verified = kind === 'email' ? 'emailVerified' : 'phoneVerified'
  return { ...profile, [kind]: address, [verified]: isVerified || (profile[kind] === address && profile[verified] === true) }
}

export function withoutPhone({ phone: _, phoneVerified: __, ...profile }: Profile): Profile {
  return profile
}

/** `profile` of a machine with its name and what it is for. */
export function withMachine(
  { description: before, ...profile }: Profile,
  name: string | undefined,
  description: string | undefined,
): Profile {
  const next = description ?? before
  return { ...profile, ...(name && { displayName: name }), ...(next && { description: next }) }
}
