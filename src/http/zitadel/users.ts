/** What the APIs of both versions need to speak of users. */
import type { Clock } from '#src/base/clock.ts'
import type { TextMethod } from '#src/base/text.ts'
import { textMethods } from '#src/base/text.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { type Managing, NotAllowed, NotToYourself } from '#src/domain/applications/managing.ts'
import type { Actor, AuditStore } from '#src/domain/audit/events.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { Codes } from '#src/domain/users/codes.ts'
import type { CheckPassword } from '#src/domain/users/signIn.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { refusalOf } from './access.ts'
import type { Caller } from './authenticate.ts'
import { StatusError } from './errors.ts'

export interface UsersNeeds {
  readonly users: Users
  readonly codes: Codes
  readonly checkPassword: CheckPassword
  readonly audit: Pick<AuditStore, 'changes'>
  readonly catalogue: Pick<Catalogue, 'root' | 'find' | 'findProject'>
  readonly sessions: Pick<Sessions, 'list'>
  readonly now: Clock
  readonly ownProjectId: () => string
  readonly managing: Managing
  /** The organization that everything belongs to: ZITADEL's `resourceOwner`. */
  readonly organizationId: () => string
}

/** Who did it, for the audit trail. */
export const actorOf = ({ user }: Caller): Actor => ({ kind: 'user', id: user.id })

/** The user of an id. @throws StatusError 404 */
export async function existing({ users }: Pick<UsersNeeds, 'users'>, id: string): Promise<User> {
  const user = await users.find(id as UserId)
  if (!user) throw new StatusError('notFound', 'User could not be found', { id: 'QUERY-Dfbg2' })
  return user
}

/** The person of an id. @throws StatusError 404, also when it is that of a machine */
export async function existingPerson(needs: Pick<UsersNeeds, 'users'>, id: string): Promise<User> {
  const user = await existing(needs, id)
  if (user.kind === 'human') return user
  throw new StatusError('notFound', 'User could not be found', { id: 'QUERY-Dfbg2' })
}

/** The user of an id, when the caller may change them, and they are of the `kind` that it is about. @throws StatusError 404, 403, 400 */
export async function changeable(
  needs: Pick<UsersNeeds, 'users' | 'managing'>,
  caller: Caller,
  id: string,
  kind?: User['kind'],
): Promise<User> {
  const user = await existing(needs, id)
  assertMayChange(needs, caller, user)
  if (kind) assertKind(user, kind)
  return user
}

/** The same, where whoever is not there is told by what is done to them. @throws StatusError 403 */
export async function assertChangeable(needs: Pick<UsersNeeds, 'users' | 'managing'>, caller: Caller, id: string): Promise<void> {
  if (id === caller.user.id) return
  const user = await needs.users.find(id as UserId)
  if (user) assertMayChange(needs, caller, user)
}

/** @throws StatusError 400 */
export function assertKind(user: User, kind: User['kind']): void {
  if (user.kind !== kind) throw new StatusError('failedPrecondition', 'Not allowed for this user type', { id: 'COMMAND-Df2f1' })
}

/** @throws StatusError 403 */
function assertMayChange({ managing }: Pick<UsersNeeds, 'managing'>, caller: Caller, user: User): void {
  if (!managing.mayChange(caller, user)) throw refusalOf(caller)
}

/** The refusals of `managing` as the API that was called words them. @throws StatusError 403, 400 */
export async function judged<T>(caller: Caller, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof NotAllowed) throw refusalOf(caller)
    if (error instanceof NotToYourself)
      throw new StatusError('failedPrecondition', 'You cannot do this to yourself: another manager has to')
    throw error
  }
}

/** Does to another user what may shut them out, and never the last administrator. @throws StatusError 403, 400; Busy */
export function shuttingOut<T>({ managing }: Pick<UsersNeeds, 'managing'>, caller: Caller, user: User, work: () => Promise<T>): Promise<T> {
  return judged(caller, () => {
    managing.assertAnother(caller, user)
    return managing.keepingAnAdministrator(caller, user, work)
  })
}

const methodNames = Object.keys(textMethods) as readonly TextMethod[]

/** A way to match a text by its number in protobuf, which is the same in all versions. */
export const textMethodOf = (number: number): TextMethod => methodNames[number] ?? 'equals'
