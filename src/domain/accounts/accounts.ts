/**
 * Accounts: what people do about their own user by themselves: make one, get another password, change addresses and profile, leave.
 *
 * Owns who may do what, links and codes that prove whose an address is, and what is told by mail. Users, passwords and metadata are for those rooms: their work is handed in. Whoever
 * asks learns nothing of others: what depends on who has an account is done after the answer, and its outcome goes by mail to whom it is about.
 */
import { DomainError } from '#src/base/errors.ts'
import type { Settings } from '../applications/application.ts'
import type { User } from '../users/user.ts'

/** What is wrong with one field of a form. */
export interface FieldFault {
  /** Of a field of the organization's own, `fields.` and its key. */
  readonly field: string
  readonly reason: 'missing' | 'invalid' | 'tooShort' | 'tooLong' | 'wrong' | 'notYours' | 'taken'
}

/** Some of what was typed cannot be taken; all of it is told. */
export class AccountInvalid extends DomainError {
  readonly code = 'accounts.invalid'
  readonly faults: readonly FieldFault[]
  constructor(faults: readonly FieldFault[]) {
    super(`cannot be taken: ${faults.map(({ field, reason }) => `${field} (${reason})`).join(', ')}`)
    this.faults = faults
  }
}

/** A link or a code is wrong, was used, or is too old. */
export class ProofExpired extends DomainError {
  readonly code = 'accounts.proof_expired'
  constructor() {
    super('the link or the code is not good any more')
  }
}

/** There was too much of this lately. */
export class TooManyRequests extends DomainError {
  readonly code = 'accounts.too_many_requests'
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super(`there were too many requests; try again in ${retryAfterSeconds} seconds`)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The operator has switched this off, or keeps it to themselves. */
export class NotSelfManaged extends DomainError {
  readonly code = 'accounts.not_self_managed'
  constructor(what: string) {
    super(`people may not do this by themselves here: ${what}`)
  }
}

/** An administrator does not delete their own account, which could be the last: another one does. */
export class AdministratorsStay extends DomainError {
  readonly code = 'accounts.administrators_stay'
  constructor() {
    super('an administrator cannot delete their own account: another administrator has to')
  }
}

export type ReadSettings = () => Promise<Settings>

/** The addresses of pages that messages lead to. */
export interface AccountAddresses {
  readonly account: string
  readonly signIn: string
  readonly confirmRegistration: (secret: string) => string
  readonly requestReset: string
  readonly reset: (secret: string) => string
  readonly confirmEmail: (secret: string) => string
}

/** The address of somebody that messages may go to: one that they have proved. */
export const provenEmailOf = ({ profile: { email, emailVerified } }: User): string | undefined => (emailVerified ? email : undefined)

/** An address that mail can be sent to without being read otherwise on the way: no lists, names, comments and quotes. */
export const isMailbox = (text: string) => text.length <= 254 && /^[^\s@<>()[\],;:\\"\p{Cc}]+@[^\s@<>()[\],;:\\"\p{Cc}]+$/u.test(text)

/** @throws TooManyRequests unless it is 0 */
export function assertNoWait(retryAfterSeconds: number): void {
  if (retryAfterSeconds > 0) throw new TooManyRequests(retryAfterSeconds)
}

/** @throws AccountInvalid when there are any */
export function assertFaultless(faults: readonly FieldFault[]): void {
  if (faults.length > 0) throw new AccountInvalid(faults)
}
