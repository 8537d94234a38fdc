/** Setting passwords, with what allows it. */
import { assertAcceptablePassword, passwordScheme } from '#src/domain/users/passwords.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import type { User } from '#src/domain/users/user.ts'
import { refusalOf } from './access.ts'
import type { Caller } from './authenticate.ts'
import { codeInvalid } from './contacts.ts'
import { StatusError } from './errors.ts'
import { actorOf, type UsersNeeds } from './users.ts'

/** The password itself, or what another system made of it. */
export type WantedPassword = { readonly password: string } | { readonly passwordHash: string }

/** What shows that somebody may set it who does not manage users: the password until now, or a code. */
export type PasswordProof =
  | { readonly case: 'currentPassword' | 'verificationCode'; readonly value: string }
  | { readonly case?: undefined; readonly value?: undefined }

type Needs = Pick<UsersNeeds, 'users' | 'codes' | 'checkPassword'>

/** What a code is about: the password that it replaces. After another change it is good for nothing. */
const aboutPassword = ({ passwordHash }: User) => hashSecret(passwordHash ?? '')

/** A code with which a new password can be set once, within the hour. */
export const newPasswordCode = ({ codes }: Pick<Needs, 'codes'>, user: User): Promise<string> =>
  codes.issue(user.id, 'password', aboutPassword(user))

/** @throws StatusError when the proof is wrong, or is missing and the caller does not manage users; UserInvalid, TooManyAttempts, Busy */
export async function setPassword(needs: Needs, caller: Caller, user: User, wanted: WantedPassword, proof: PasswordProof): Promise<User> {
  const { users, codes, checkPassword } = needs
  // A code is good once: it is not used up for a password that is not taken.
  assertSettable(wanted)
  switch (proof.case) {
    case 'currentPassword':
      if (!(await checkPassword({ user, password: proof.value, address: caller.address }))) {
        throw new StatusError('invalidArgument', 'Password is invalid', { id: 'COMMAND-3M0fs' })
      }
      break
    case 'verificationCode':
      if (!(await codes.use(user.id, 'password', aboutPassword(user), proof.value))) throw codeInvalid()
      break
    default:
      if (!caller.may('user.write')) throw refusalOf(caller)
  }
  if ('passwordHash' in wanted) return users.importPassword(user.id, wanted.passwordHash, actorOf(caller))
  return users.setPassword(user.id, wanted.password, actorOf(caller))
}

/** @throws UserInvalid when it is no password that is taken, or no hash that can be verified */
export function assertSettable(wanted: WantedPassword): void {
  if ('password' in wanted) assertAcceptablePassword(wanted.password)
  else passwordScheme(wanted.passwordHash)
}

/** The oneof of a request of the second API. @throws StatusError 400 when there is neither */
export function wantedPasswordOf(type: {
  readonly case?: 'password' | 'hashedPassword'
  readonly value?: { readonly password?: string; readonly hash?: string }
}): WantedPassword | undefined {
  if (type.case === 'password') return { password: type.value?.password ?? '' }
  return type.case === 'hashedPassword' ? { passwordHash: type.value?.hash ?? '' } : undefined
}
