import { DomainError } from '#src/base/errors.ts'
import type { AuditStore } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { Passwords } from './passwords.ts'
import type { Attempt, Throttle } from './throttle.ts'
import { isActive, isLeaving, type User } from './user.ts'
import type { Users } from './users.ts'

/** What came of an attempt to sign in. `refused` says no more than that: not whether the name or the password was wrong. */
export type SignInResult =
  | { readonly kind: 'signedIn'; readonly user: User }
  /** The password is right, and the account is about to be deleted: it may be kept. */
  | { readonly kind: 'leaving'; readonly user: User }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number }

export interface SignInDeps {
  readonly users: Pick<Users, 'findByLoginName' | 'rehashPassword'>
  readonly passwords: Pick<Passwords, 'verify'>
  readonly throttle: Throttle
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
}

/** There were too many wrong passwords lately. */
export class TooManyAttempts extends DomainError {
  readonly code = 'user.too_many_attempts'
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super(`there were too many attempts; try again in ${retryAfterSeconds} seconds`)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/**
 * Whether a password is that of a user, who is known already: by a sign-in page of somebody else (`isSignIn`), or before they may change it.
 * @throws TooManyAttempts, Busy
 */
export type CheckPassword = (check: {
  readonly user: User
  readonly password: string
  readonly address: string
  readonly isSignIn?: boolean
}) => Promise<boolean>

/** Guesses count as those of the sign-in do, and are recorded. */
export const createCheckPassword =
  ({ passwords, throttle, audit, recorder }: Omit<SignInDeps, 'users'>): CheckPassword =>
  async ({ user, password, address, isSignIn = false }) => {
    const attempt = { name: user.username, address }
    const itself = { kind: 'user', id: user.id } as const
    const retryAfterSeconds = await throttle.attempt(attempt)
    if (retryAfterSeconds > 0) throw new TooManyAttempts(retryAfterSeconds)
    const matches = await passwords.verify(password, user.kind === 'human' ? user.passwordHash : undefined)
    if (matches) await throttle.succeeded(attempt)
    if (!matches) await audit.record([recorder.event('user.sign_in_failed', itself, itself, { reason: 'password', address })])
    else if (isSignIn) await audit.record([recorder.event('user.signed_in', itself, itself, { amr: ['pwd'], address })])
    return matches
  }

export type SignIn = ReturnType<typeof createSignIn>

/** Signing in with a name and a password. Every attempt costs the same time, whoever it is about, and is recorded. */
export function createSignIn({ users, passwords, throttle, audit, recorder }: SignInDeps) {
  const recordFor = (user: User | undefined, reason: 'password' | 'throttled' | 'inactive', address: string) =>
    user &&
    audit.record([recorder.event('user.sign_in_failed', { kind: 'user', id: user.id }, { kind: 'user', id: user.id }, { reason, address })])

  /** @throws Busy when too many passwords are being hashed */
  return async function signIn(attempt: Attempt & { password: string; clientId?: string }): Promise<SignInResult> {
    const retryAfterSeconds = await throttle.attempt(attempt)
    if (retryAfterSeconds > 0) return { kind: 'throttled', retryAfterSeconds }
    const user = await users.findByLoginName(attempt.name)
    const matches = await passwords.verify(attempt.password, user?.kind === 'human' ? user.passwordHash : undefined)
    if (!user || !matches || !isActive(user)) {
      await recordFor(user, matches ? 'inactive' : 'password', attempt.address)
      if (!user || !matches || !isLeaving(user)) return { kind: 'refused' }
      await throttle.succeeded(attempt)
      return { kind: 'leaving', user }
    }
    await Promise.all([
      throttle.succeeded(attempt),
      users.rehashPassword(user, attempt.password),
      audit.record([
        recorder.event(
          'user.signed_in',
          { kind: 'user', id: user.id },
          { kind: 'user', id: user.id },
          { clientId: attempt.clientId, amr: ['pwd'], address: attempt.address },
        ),
      ]),
    ])
    return { kind: 'signedIn', user }
  }
}
