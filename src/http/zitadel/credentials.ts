/** What machine users prove with who they are: keys, client secrets and personal access tokens. */
import { type Timestamp, timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { User } from '#src/domain/users/user.ts'
import type { Caller } from './authenticate.ts'
import { StatusError } from './errors.ts'
import { actorOf, type UsersNeeds } from './users.ts'

/** A key or a token, without what is secret about it. */
export interface Credential {
  readonly id: string
  readonly userId: string
  readonly createdAt: Date
  readonly expiresAt?: Date
}

type Needs = Pick<UsersNeeds, 'users' | 'now'>

/** ZITADEL's way to say that something never ends. */
const never = new Date('9999-01-01T00:00:00Z')

export const expirationOf = ({ expiresAt }: Credential): Timestamp => timestampFromDate(expiresAt ?? never)

/** When something is to end; nothing when it never is. @throws StatusError 400 when that is over */
function endOf(expiration: Timestamp | undefined, now: Date): Date | undefined {
  if (!expiration) return undefined
  const end = timestampDate(expiration)
  if (!(end > now)) throw new StatusError('invalidArgument', 'The expiration date must be in the future', { id: 'DOMAIN-dv3t5' })
  return end < never ? end : undefined
}

/** The keys of a user, oldest first. */
export const keysOf = ({ id, machineKeys = [] }: User): readonly Credential[] =>
  machineKeys.map((key) => ({
    id: key.id,
    userId: id,
    createdAt: new Date(key.createdAt),
    ...(key.expiresAt && { expiresAt: new Date(key.expiresAt) }),
  }))

/** The personal access tokens of a user, oldest first. */
export async function tokensOf({ users }: Pick<Needs, 'users'>, user: User): Promise<readonly Credential[]> {
  const tokens = await users.listTokens(user.id)
  return tokens
    .map(({ id, userId, createdAt, expiresAt }) => ({ id, userId, createdAt, expiresAt }))
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
}

/** Adds a key: the one that is given, or a new one with its file, which is told this once. @throws StatusError, UserInvalid */
export async function addKey(
  { users, now }: Needs,
  caller: Caller,
  user: User,
  { publicKey, expirationDate }: { readonly publicKey: Uint8Array; readonly expirationDate?: Timestamp },
): Promise<{ readonly id: string; readonly file: Uint8Array<ArrayBuffer>; readonly createdAt: Date; readonly user: User }> {
  const expiresAt = endOf(expirationDate, now())
  const actor = actorOf(caller)
  const given = publicKey.length > 0
  const made = given
    ? await users.addPublicKey(user.id, Buffer.from(publicKey).toString(), { expiresAt }, actor)
    : await users.createKey(user.id, { expiresAt }, actor)
  const id = 'id' in made ? made.id : made.keyId
  const after = await users.get(user.id)
  const createdAt = keysOf(after).find((key) => key.id === id)?.createdAt ?? after.changedAt
  return { id, file: new TextEncoder().encode(given ? '' : JSON.stringify(made)), createdAt, user: after }
}

/** Adds a personal access token, which is told this once. @throws StatusError */
export async function addToken(
  { users, now }: Needs,
  caller: Caller,
  user: User,
  expirationDate: Timestamp | undefined,
): Promise<{ readonly id: string; readonly token: string; readonly createdAt: Date }> {
  const at = now()
  const expiresAt = endOf(expirationDate, at)
  const { id, token } = await users.createToken(user.id, { name: "made with ZITADEL's API", expiresAt }, actorOf(caller))
  return { id, token, createdAt: at }
}
