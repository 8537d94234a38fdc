/** What is told about somebody, as fields of a form. */
import { createHash } from 'node:crypto'
import type { PostalAddress, Profile, User } from '#src/domain/users/user.ts'
import type { SentForm } from '../kit/sentForm.ts'

const names = ['displayName', 'givenName', 'familyName', 'nickName', 'gender', 'locale', 'picture'] as const
const address = ['street_address', 'postal_code', 'locality', 'region', 'country', 'formatted'] as const
const contacts = [
  ['email', 'emailVerified'],
  ['phone', 'phoneVerified'],
] as const

const fields = ['username', 'description', ...names, ...address, ...contacts.flat()] as const

/** What was typed. A box that is ticked is `yes`. */
export const typedIn = (form: SentForm): Readonly<Record<string, string>> =>
  Object.fromEntries(fields.map((field) => [field, form.text(field).replaceAll('\r\n', '\n')]))

/** The same for a user who is there. */
export function fieldsOf({ username, profile }: Pick<User, 'username' | 'profile'>): Readonly<Record<string, string>> {
  const told: Readonly<Record<string, unknown>> = { ...profile, ...profile.address, username }
  return Object.fromEntries(
    fields.map((field) => [field, told[field] === true ? 'yes' : typeof told[field] === 'string' ? told[field] : '']),
  )
}

/** The profile that fields make. Whoever has no display name gets their given and family name. */
export function profileOf(kind: User['kind'], typed: Readonly<Record<string, string>>): Profile {
  const given = (list: readonly string[]) => list.flatMap((name) => (typed[name] ? [[name, typed[name]] as const] : []))
  if (kind === 'machine') return Object.fromEntries(given(['displayName', 'description']))
  const place: PostalAddress = Object.fromEntries(given(address))
  const displayName = typed.displayName || [typed.givenName, typed.familyName].filter(Boolean).join(' ')
  return {
    ...Object.fromEntries(given(names)),
    ...(displayName !== '' && { displayName }),
    ...(Object.keys(place).length > 0 && { address: place }),
    ...Object.fromEntries(
      contacts.flatMap(([name, verified]): [string, string | boolean][] =>
        typed[name]
          ? [
              [name, typed[name]],
              [verified, typed[verified] === 'yes'],
            ]
          : [],
      ),
    ),
  }
}

/** Stands for a profile as it was shown: another one has another mark. */
export function markOf(profile: Profile): string {
  const sorted = Object.entries({ ...profile, address: Object.entries(profile.address ?? {}).sort() }).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url')
}
