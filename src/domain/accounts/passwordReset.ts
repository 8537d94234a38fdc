import type { Passwords } from '../users/passwords.ts'
import type { CheckPassword } from '../users/signIn.ts'
import type { Throttle } from '../users/throttle.ts'
import type { User, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import { type AccountAddresses, AccountInvalid, assertNoWait, ProofExpired, provenEmailOf } from './accounts.ts'
import type { Afterwards } from './afterwards.ts'
import type { Links } from './links.ts'
import type { SendAccountMail } from './mail.ts'

export interface PasswordResetDeps {
  readonly users: Pick<Users, 'find' | 'get' | 'findByLoginName' | 'setPasswordHash'>
  readonly passwords: Pick<Passwords, 'hash'>
  readonly checkPassword: CheckPassword
  readonly throttle: Pick<Throttle, 'guess' | 'mayWrite' | 'forgive'>
  readonly links: Links
  readonly afterwards: Afterwards
  readonly sendMail: SendAccountMail
  readonly addresses: Pick<AccountAddresses, 'reset' | 'requestReset'>
  readonly passwordFault: (password: string) => 'tooShort' | 'tooLong' | undefined
  /** Whether somebody may sign in, or would have to to keep their account. */
  readonly mayReturn: (user: User) => boolean
}

const lifetimeSeconds = 3600

interface Asking {
  readonly locale?: string | undefined
  readonly address: string
  /** Where they came from: the interaction that they want to go on with. */
  readonly interaction?: string | undefined
}

export type PasswordReset = ReturnType<typeof createPasswordReset>

/**
 * Another password: by a link that goes to the proven address, or by the one until now. Anybody may ask for a link, so one more takes none away: all are good for an hour, until the
 * password or the address is another.
 */
export function createPasswordReset(deps: PasswordResetDeps) {
  const { users, passwords, checkPassword, throttle, links, afterwards, sendMail, addresses, passwordFault, mayReturn } = deps

  async function hashOf(password: string): Promise<string> {
    const reason = password === '' ? 'missing' : passwordFault(password)
    if (reason) throw new AccountInvalid([{ field: 'password', reason }])
    return passwords.hash(password)
  }

  /** Whether a link was sent: to whoever may sign in, has a proven address, and was not written to too often. */
  async function invite(
    kind: 'passwordReset' | 'passwordLink',
    user: User | undefined,
    { locale, interaction }: Pick<Asking, 'locale' | 'interaction'> = {},
  ): Promise<boolean> {
    const to = user?.kind === 'human' && mayReturn(user) ? provenEmailOf(user) : undefined
    if (!user || to === undefined || !(await throttle.mayWrite(kind, to))) return false
    const secret = await links.issue(
      'passwordReset',
      { userId: user.id, email: to, ...(interaction !== undefined && { interaction }) },
      { lifetimeSeconds, userId: user.id },
    )
    await sendMail({ kind: 'passwordReset', to, locale: user.profile.locale ?? locale, link: addresses.reset(secret) })
    return true
  }

  /** Whom a link is for. */
  async function find(secret: string): Promise<User | undefined> {
    const found = await links.find('passwordReset', secret)
    const user = found && (await users.find(found.userId as UserId))
    return user && mayReturn(user) && provenEmailOf(user) === found.email ? user : undefined
  }

  function tell(user: User): void {
    const to = provenEmailOf(user)
    if (to === undefined) return
    afterwards.do(() => sendMail({ kind: 'passwordChanged', to, locale: user.profile.locale, link: addresses.requestReset }))
  }

  return {
    /** Sends a link to whoever goes by `name`, if they have a proven address. The answer does not depend on it. @throws TooManyRequests, Busy */
    async request(name: string, { address, ...asking }: Asking): Promise<void> {
      assertNoWait(await throttle.guess('password reset', address))
      afterwards.do(async () => {
        await invite('passwordReset', await users.findByLoginName(name.trim().slice(0, 254)), asking)
      })
    },

    /**
     * Sends a link at the wish of somebody who manages users, and tells whether it was sent: to whoever may sign in and has a proven address, not too often. What strangers have asked
     * for does not count.
     */
    send: (user: User): Promise<boolean> => invite('passwordLink', user),

    find,

    /** Sets the password that a link is for; every session ends. Of many at once, one does. @throws ProofExpired, AccountInvalid, Busy */
    async reset(secret: string, password: string): Promise<{ readonly user: User; readonly interaction?: string }> {
      const interaction = (await links.find('passwordReset', secret))?.interaction
      const user = await find(secret)
      if (!user) throw new ProofExpired()
      // A link is good once: it is not used up for a password that is not taken.
      const passwordHash = await hashOf(password)
      if (!(await links.use('passwordReset', secret))) throw new ProofExpired()
      const changed = await users.setPasswordHash(user.id, passwordHash, { kind: 'user', id: user.id })
      // Whoever was kept waiting by strangers who guess has proved who they are.
      await Promise.all([user.username, provenEmailOf(user)].map((name) => name && throttle.forgive(name)))
      tell(changed)
      return { user: changed, ...(interaction !== undefined && { interaction }) }
    },

    /**
     * Changes the password of somebody who knows the one until now; every session ends, theirs too.
     * @throws AccountInvalid, UserNotFound, TooManyAttempts, Busy
     */
    async change(userId: UserId, given: { readonly current: string; readonly next: string; readonly address: string }): Promise<User> {
      const user = await users.get(userId)
      const reason = given.next === '' ? 'missing' : passwordFault(given.next)
      if (reason) throw new AccountInvalid([{ field: 'password', reason }])
      if (!(await checkPassword({ user, password: given.current, address: given.address })))
        throw new AccountInvalid([{ field: 'currentPassword', reason: 'wrong' }])
      const changed = await users.setPasswordHash(userId, await passwords.hash(given.next), { kind: 'user', id: userId })
      tell(changed)
      return changed
    },
  }
}
