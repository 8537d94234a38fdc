import type { Binary, Db } from 'mongodb'
import { comparable, type User, type UserId } from '#src/domain/users/user.ts'

/** One entry under its encoded key. */
export interface StoredEntry {
  readonly value: Binary | Uint8Array
  readonly sequence: number
  readonly createdAt: Date
  readonly changedAt: Date
}

export interface StoredMetadata {
  /** How many entries there are, and the bytes of all their values. */
  readonly keys: number
  readonly bytes: number
  readonly entries: Readonly<Record<string, StoredEntry>>
  /** What users are looked for by: the keys, and `tagOf` each entry. The entries themselves have no names that an index could know. */
  readonly names: readonly string[]
  readonly tags: readonly string[]
}

/** Role keys are by project id, which may be any text: pairs, because field names may not. */
interface StoredUser extends Omit<User, 'id' | 'roles' | 'identities'> {
  readonly roles: readonly { readonly projectId: string; readonly keys: readonly string[] }[]
  /** What a provider tells has names of its own, which names of fields may not be: one text. `identities` keeps them unique. */
  readonly identities?: string
}

/** A user with metadata inside. `version` counts the writes: a change is written on the condition that it is still what was read. */
export interface UserDocument {
  readonly _id: UserId
  readonly version: number
  /** The comparable form of the username; `usernames` keeps it unique. */
  readonly usernameKey: string
  /** The comparable form of a proven e-mail address. */
  readonly emailKey?: string
  /** The comparable form of an e-mail address, proven or not. */
  readonly emailSearch?: string
  readonly user: StoredUser
  readonly metadata: StoredMetadata
}

export const usersOf = (database: Db) => database.collection<UserDocument>('users')

/** The fields to set and to take away so that the document is that of `user`. */
export function withUser({ id: _, roles, identities, ...user }: User) {
  const { email, emailVerified } = user.profile
  const emailSearch = email ? comparable(email) : undefined
  const emailKey = emailVerified ? emailSearch : undefined
  const stored = {
    ...user,
    roles: Object.entries(roles).map(([projectId, keys]) => ({ projectId, keys })),
    ...(identities && { identities: JSON.stringify(identities) }),
  }
  const set = {
    usernameKey: comparable(user.username),
    user: stored,
    ...(emailKey !== undefined && { emailKey }),
    ...(emailSearch !== undefined && { emailSearch }),
  }
  const unset: Record<string, ''> = {
    ...(emailKey === undefined && { emailKey: '' }),
    ...(emailSearch === undefined && { emailSearch: '' }),
  }
  return { set, unset }
}

export function userOf({ _id, user: { roles, identities, ...user } }: UserDocument): User {
  return {
    id: _id,
    ...user,
    roles: Object.fromEntries(roles.map(({ projectId, keys }) => [projectId, keys])),
    ...(identities !== undefined && { identities: JSON.parse(identities) }),
  }
}
