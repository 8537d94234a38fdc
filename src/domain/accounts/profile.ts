import type { ProfileField, Settings } from '../applications/application.ts'
import type { KeyValue, Metadata } from '../metadata/metadata.ts'
import type { PostalAddress, Profile, User, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import { assertFaultless, type FieldFault, NotSelfManaged, type ReadSettings } from './accounts.ts'

export interface ProfilesDeps {
  readonly settings: ReadSettings
  readonly users: Pick<Users, 'edit'>
  readonly metadata: Pick<Metadata, 'set' | 'remove'>
  readonly isSelfManaged: (key: string, patterns: Settings['selfManagedMetadata']) => boolean
  readonly assertProfile: (profile: Profile) => void
}

/** Fields of the profile that count as they are typed; an e-mail address and a phone number have to be proved. */
export const plainFields = ['displayName', 'givenName', 'familyName', 'nickName', 'gender', 'locale', 'picture'] as const
type PlainField = (typeof plainFields)[number]
const addressFields = ['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country'] as const

/** What is to be other than it is; empty text takes a field away. */
export interface ProfileChanges extends Partial<Record<PlainField, string>> {
  readonly address?: Partial<Record<(typeof addressFields)[number], string>>
}

/** Whether people may change a field of their own profile. */
export const mayManage = ({ selfManagedProfile }: Pick<Settings, 'selfManagedProfile'>, field: ProfileField): boolean =>
  typeof selfManagedProfile === 'boolean' ? selfManagedProfile : selfManagedProfile.includes(field)

export type Profiles = ReturnType<typeof createProfiles>

/** What people change of what is known about them, as far as the settings let them. */
export function createProfiles({ settings, users, metadata, isSelfManaged, assertProfile }: ProfilesDeps) {
  const itself = (id: UserId) => ({ kind: 'user', id }) as const

  function faultOf(field: string, profile: Profile): FieldFault | undefined {
    try {
      assertProfile(profile)
      return undefined
    } catch {
      return { field, reason: 'invalid' }
    }
  }

  async function assertMayManageKey(key: string): Promise<void> {
    if (!isSelfManaged(key, (await settings()).selfManagedMetadata)) throw new NotSelfManaged(`metadata ${JSON.stringify(key)}`)
  }

  return {
    /** @throws NotSelfManaged, AccountInvalid with all that is wrong, UserNotFound */
    async edit(userId: UserId, { address, ...changes }: ProfileChanges): Promise<User> {
      const current = await settings()
      const named = plainFields.filter((field) => changes[field] !== undefined)
      for (const field of [...named, ...(address ? (['address'] as const) : [])])
        if (!mayManage(current, field)) throw new NotSelfManaged(field)
      const texts = named.map((field) => [field, (changes[field] ?? '').trim()] as const)
      const parts = addressFields.map((field) => [field, (address?.[field] ?? '').trim()] as const).filter(([, text]) => text !== '')
      const faults = [
        ...texts.filter(([, text]) => text !== '').map(([field, text]) => faultOf(field, { [field]: text })),
        ...parts.map(([field, text]) => faultOf(`address.${field}`, { address: { [field]: text } })),
      ]
      assertFaultless(faults.filter((fault) => fault !== undefined))
      const profile = (before: Profile): Profile => {
        const next = { ...before, ...Object.fromEntries(texts), ...(address && { address: Object.fromEntries(parts) as PostalAddress }) }
        return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== '' && !isEmpty(value)))
      }
      return users.edit(userId, { profile }, itself(userId))
    },

    /** @throws NotSelfManaged, MetadataInvalid, MetadataLimitReached, UserNotFound */
    async setMetadata(userId: UserId, entry: KeyValue): Promise<void> {
      await assertMayManageKey(entry.key)
      await metadata.set(userId, [entry], itself(userId))
    },

    /** @throws NotSelfManaged, MetadataNotFound, UserNotFound */
    async removeMetadata(userId: UserId, key: string): Promise<void> {
      await assertMayManageKey(key)
      await metadata.remove(userId, [key], itself(userId))
    },
  }
}

const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0
