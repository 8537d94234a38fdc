/** E-mail addresses and phone numbers, and the codes that prove whose they are. There is no mail: codes go to whoever asked for them, if they may have them. */
import type { Profile, User } from '#src/domain/users/user.ts'
import { refusalOf } from './access.ts'
import type { Caller } from './authenticate.ts'
import { StatusError } from './errors.ts'
import { type ContactKind, withContact, withoutPhone } from './profile.ts'
import { assertSelfManaged } from './selfManaged.ts'
import { actorOf, type UsersNeeds } from './users.ts'

/** How an address is to be proved: by nobody, by whoever is given the code, or by the word of a manager. */
export type Verification = 'none' | 'code' | 'verified'

/** The `verification` of a request of the second API. */
export function verificationOf(verification: { readonly case?: string; readonly value?: unknown } | undefined): Verification {
  if (verification?.case === 'returnCode') return 'code'
  return verification?.case === 'isVerified' && verification.value === true ? 'verified' : 'none'
}

/**
 * Whoever may not manage users proves an address by a message that reaches them: were they told the code, they could prove any.
 * @throws StatusError 403
 */
function assertMayVerify(caller: Caller, verification: Verification): void {
  if (verification === 'none' || caller.may('user.write')) return
  throw refusalOf(caller)
}

/** Gives `user` an address; answers the code, where one is to be returned. @throws StatusError, UserNotFound, UserInvalid */
export async function setContact(
  { users, codes, catalogue }: Pick<UsersNeeds, 'users' | 'codes' | 'catalogue'>,
  caller: Caller,
  user: User,
  kind: ContactKind,
  address: string,
  verification: Verification,
): Promise<{ readonly user: User; readonly code?: string }> {
  assertMayVerify(caller, verification)
  await assertSelfManaged({ catalogue }, caller, [kind])
  const edit = { profile: (profile: Profile) => withContact(profile, kind, address, verification === 'verified') }
  const changed = await users.edit(user.id, edit, actorOf(caller))
  return { user: changed, ...(verification === 'code' && { code: await codes.issue(user.id, kind, address) }) }
}

/** @throws StatusError 404 when there is no number */
export async function removePhone(
  { users, catalogue }: Pick<UsersNeeds, 'users' | 'catalogue'>,
  caller: Caller,
  user: User,
): Promise<User> {
  await assertSelfManaged({ catalogue }, caller, ['phone'])
  if (user.profile.phone === undefined) throw new StatusError('notFound', 'Phone not found', { id: 'COMMAND-p6rsc' })
  return users.edit(user.id, { profile: withoutPhone }, actorOf(caller))
}

/** A new code for the address that `user` has. @throws StatusError when there is none, or the code is to be sent */
export async function newContactCode(
  { codes }: Pick<UsersNeeds, 'codes'>,
  user: User,
  kind: ContactKind,
  verification: Verification,
): Promise<string> {
  const address = user.profile[kind]
  if (address === undefined) throw new StatusError('failedPrecondition', `User has no ${kind}`)
  if (verification !== 'code') throw cannotSend()
  return codes.issue(user.id, kind, address)
}

/** Proves the address that `user` has, if `code` was made for it. @throws StatusError 400 when it was not, or was used, or is old */
export async function verifyContact(
  { users, codes }: Pick<UsersNeeds, 'users' | 'codes'>,
  caller: Caller,
  user: User,
  kind: ContactKind,
  code: string,
): Promise<User> {
  const address = user.profile[kind]
  if (address === undefined || !(await codes.use(user.id, kind, address, code))) throw codeInvalid()
  // Whoever has another address by now has not proved that one.
  const edit = { profile: (profile: Profile) => (profile[kind] === address ? withContact(profile, kind, address, true) : profile) }
  return users.edit(user.id, edit, actorOf(caller))
}

export const codeInvalid = () => new StatusError('invalidArgument', 'Code is invalid', { id: 'CODE-woT0xc' })

export const cannotSend = () =>
  new StatusError('failedPrecondition', 'Nothing can be sent: no mail is configured. Ask for the code to be returned')
