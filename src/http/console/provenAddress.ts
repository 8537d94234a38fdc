import type { Profile, User } from '#src/domain/users/user.ts'
import { comparable } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { Visit } from '../kit/area.ts'

/**
 * What is wrong with an address that is to be somebody's, as proved, by field: people sign in by it, and links to another password go to it, so it is not given to a second person. One that
 * two have already may stay.
 */
export async function addressFaults(
  { users }: { readonly users: Pick<Users, 'findByVerifiedEmail' | 'findByUsername'> },
  { texts: { t } }: Visit,
  typed: Readonly<Record<string, string>>,
  current?: User,
): Promise<Readonly<Record<string, string>>> {
  const { email = '', emailVerified } = typed
  if (email === '' || emailVerified !== 'yes' || isProvedBy(current?.profile, email)) return {}
  const [proved, named] = await Promise.all([users.findByVerifiedEmail(email), users.findByUsername(email)])
  const owners = [...proved, ...(named ? [named] : [])].filter(({ id }) => id !== current?.id)
  return owners.length > 0 ? { email: t('consoleUsers.edit.addressTaken') } : {}
}

const isProvedBy = (profile: Profile | undefined, email: string) =>
  profile?.emailVerified === true && profile.email !== undefined && comparable(profile.email) === comparable(email)
