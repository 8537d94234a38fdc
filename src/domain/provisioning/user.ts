import { z } from 'zod'
import type { PostalAddress, Profile, UserState } from '../users/user.ts'
import type { Faults, Path } from './faults.ts'
import { email, flag, locale, name, nameOf, readFields, readValue, roleKey, text, userId, webAddress } from './fields.ts'
import type { ReadSecret } from './secrets.ts'

export interface WantedUser {
  readonly path: Path
  readonly username: string
  readonly id?: string
  readonly kind?: 'human' | 'machine'
  readonly state?: UserState
  readonly admin?: boolean
  /** Only what the file names; the rest stays as it is. */
  readonly profile: Profile
  readonly password?: string
  readonly passwordHash?: string
  /** Of a machine user, whose client id is the username. */
  readonly clientSecret?: string
  readonly metadata: readonly { readonly key: string; readonly value: Uint8Array }[]
  /** By project name or id. */
  readonly roles: readonly { readonly project: string; readonly keys: readonly string[] }[]
}

const address = z
  .strictObject({
    formatted: text,
    streetAddress: text,
    locality: text,
    region: text,
    postalCode: text,
    country: text,
  })
  .partial()
  .transform(
    ({ streetAddress, postalCode, ...rest }): PostalAddress =>
      JSON.parse(JSON.stringify({ ...rest, street_address: streetAddress, postal_code: postalCode })),
  )

const profileShape = {
  givenName: name,
  familyName: name,
  displayName: name,
  description: text,
  nickName: name,
  gender: text,
  locale,
  picture: webAddress,
  email,
  emailVerified: flag,
  phone: text,
  phoneVerified: flag,
  address,
} as const

/** The fields of a user in a configuration file. */
export const userShape = {
  username: text,
  id: userId,
  kind: z.enum(['human', 'machine']),
  state: z.enum(['active', 'inactive', 'locked']),
  admin: flag,
  ...profileShape,
  password: text,
  passwordHash: text,
  clientSecret: text,
  metadata: z.unknown(),
  roles: z.unknown(),
} as const

/** One entry of `users`; `undefined` when it has no username to go by. */
export function readUser(given: unknown, path: Path, faults: Faults, readSecret: ReadSecret): WantedUser | undefined {
  const values = readFields(userShape, given, path, faults, { required: ['username'] })
  const profile = Object.fromEntries(
    (Object.keys(profileShape) as (keyof Profile)[]).filter((field) => values[field] !== undefined).map((field) => [field, values[field]]),
  )
  const [password, passwordHash, clientSecret] = (['password', 'passwordHash', 'clientSecret'] as const).map((field) =>
    readSecret(values[field], [...path, field]),
  )
  if (values.password !== undefined && values.passwordHash !== undefined) {
    faults.add([...path, 'passwordHash'], 'must be left out where password is given')
  }
  const { username, id, kind, state, admin } = values
  const metadata = entriesOf(values.metadata, [...path, 'metadata'], faults).map(([key, value]) => ({
    key,
    value: readMetadataValue(value, [...path, 'metadata', key], faults),
  }))
  const roles = entriesOf(values.roles, [...path, 'roles'], faults).map(([project, keys]) => ({
    project,
    keys: [...new Set(readValue(z.array(roleKey), keys, [...path, 'roles', project], faults) ?? [])],
  }))
  if (username === undefined) return undefined
  return { path, username, id, kind, state, admin, profile, password, passwordHash, clientSecret, metadata, roles }
}

function entriesOf(given: unknown, path: Path, faults: Faults): readonly [string, unknown][] {
  if (given === undefined) return []
  if (given !== null && typeof given === 'object' && !Array.isArray(given)) return Object.entries(given)
  faults.add(path, 'must be a group of fields')
  return []
}

const base64 = z.strictObject({
  base64: z.string().refine((value) => /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value), 'must be base64 (with + and /)'),
})

/** Text, or `{ base64: … }`, as bytes; no bytes when it is neither. */
function readMetadataValue(given: unknown, path: Path, faults: Faults): Uint8Array {
  if (typeof given === 'string') return Buffer.from(given, 'utf8')
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    const quote = ['number', 'boolean'].includes(typeof given) ? '; put it in quotes' : ''
    faults.add(path, `must be text or { base64: … }, not ${nameOf(given)}${quote}`)
    return Buffer.of(0)
  }
  return Buffer.from(readValue(base64, given, path, faults)?.base64 ?? 'AA==', 'base64')
}
