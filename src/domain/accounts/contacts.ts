import { randomInt } from 'node:crypto'
import { newObjectId } from '#src/base/ids.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { Lock } from '../sessions/lock.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import type { Throttle } from '../users/throttle.ts'
import type { Profile, User, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import {
  type AccountAddresses,
  AccountInvalid,
  assertNoWait,
  isMailbox,
  NotSelfManaged,
  ProofExpired,
  type ReadSettings,
  TooManyRequests,
} from './accounts.ts'
import type { Afterwards } from './afterwards.ts'
import type { Links } from './links.ts'
import type { SendAccountMail, SendAccountText } from './mail.ts'
import { mayManage } from './profile.ts'

export interface ContactsDeps {
  readonly settings: ReadSettings
  readonly users: Pick<Users, 'get' | 'edit' | 'findByLoginName'>
  readonly throttle: Pick<Throttle, 'guess' | 'mayWrite' | 'mayTry' | 'maySpend'>
  readonly links: Links
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'consume' | 'remove'>
  readonly afterwards: Afterwards
  readonly sendMail: SendAccountMail
  readonly sendText: SendAccountText
  /** So many text messages go in an hour, to all people together. */
  readonly textsPerHour: number
  readonly addresses: Pick<AccountAddresses, 'account' | 'signIn' | 'confirmEmail'>
  readonly exclusively: Lock
  readonly comparable: (name: string) => string
  readonly hash: (text: string) => string
  /** A digest that nobody can make who has only the store: a code is short. */
  readonly seal: (code: string) => string
  readonly now: () => Date
}

const linkSeconds = 3600
const model = 'PhoneCode'
const codeSeconds = 600
const codeDigits = 6
/** A code is good for so many tries, right or wrong. */
const mostTries = 5
const patienceMs = 10_000

interface StoredCode {
  readonly id: string
  readonly phone: string
  readonly digest: string
  readonly until: number
}

export type Contacts = ReturnType<typeof createContacts>

/** E-mail addresses and phone numbers that people change by themselves: the new one counts when it is proved to be theirs, and not before. */
export function createContacts(deps: ContactsDeps) {
  const {
    settings,
    users,
    throttle,
    links,
    artifacts,
    afterwards,
    sendMail,
    sendText,
    textsPerHour,
    addresses,
    exclusively,
    comparable,
    hash,
    seal,
    now,
  } = deps

  async function assertMayManage(field: 'email' | 'phone'): Promise<void> {
    if (!mayManage(await settings(), field)) throw new NotSelfManaged(field)
  }

  async function invite(user: User, email: string, locale: string | undefined): Promise<void> {
    if (!(await throttle.mayWrite('emailConfirmation', email))) return
    const owner = await users.findByLoginName(email)
    if (owner && owner.id !== user.id)
      return sendMail({ kind: 'addressTaken', to: email, locale: owner.profile.locale ?? locale, link: addresses.signIn })
    const secret = await links.issue('email', { userId: user.id, email }, { lifetimeSeconds: linkSeconds, userId: user.id, isOnly: true })
    await sendMail({ kind: 'emailConfirmation', to: email, locale: user.profile.locale ?? locale, link: addresses.confirmEmail(secret) })
  }

  const currentCode = async (userId: UserId) => {
    const found = await artifacts.find(model, userId)
    const stored = found && payloadOf<StoredCode>(found)
    return stored && stored.until > now().getTime() ? stored : undefined
  }

  return {
    /**
     * Sends a link to the address that is to be somebody's. The answer does not depend on whose it is.
     * @throws NotSelfManaged, AccountInvalid, UserNotFound, TooManyRequests, Busy
     */
    async requestEmail(
      userId: UserId,
      given: string,
      { locale, address }: { readonly locale?: string | undefined; readonly address: string },
    ): Promise<void> {
      await assertMayManage('email')
      const email = given.trim()
      if (!isMailbox(email)) throw new AccountInvalid([{ field: 'email', reason: email === '' ? 'missing' : 'invalid' }])
      const user = await users.get(userId)
      assertNoWait(await throttle.guess('e-mail change', address))
      afterwards.do(() => invite(user, email, locale))
    },

    /** The address that a link would make that of `userId`, while it is good; nobody else's link does. */
    async findEmail(userId: UserId, secret: string): Promise<string | undefined> {
      const found = await links.find('email', secret)
      return found?.userId === userId ? found.email : undefined
    },

    /**
     * Makes the address of a link that of somebody, who has to be the one that asked: whoever gets a link that was meant for somebody else has no use for it. A user name that
     * was the address until now becomes the new one.
     * @throws ProofExpired, NotSelfManaged, UserNotFound, TooManyRequests
     */
    async confirmEmail(userId: UserId, secret: string): Promise<User> {
      const found = await links.find('email', secret)
      if (found?.userId !== userId) throw new ProofExpired()
      await assertMayManage('email')
      const { email } = found
      const { before, after } = await exclusively(
        `address ${hash(comparable(email))}`,
        async () => {
          const owner = await users.findByLoginName(email)
          if (owner && owner.id !== userId) throw new ProofExpired()
          if (!(await links.use('email', secret))) throw new ProofExpired()
          const current = await users.get(userId)
          const isName = current.profile.email !== undefined && comparable(current.username) === comparable(current.profile.email)
          const edit = { ...(isName && { username: email }), profile: (profile: Profile) => ({ ...profile, email, emailVerified: true }) }
          return { before: current, after: await users.edit(userId, edit, { kind: 'user', id: userId }) }
        },
        { patienceMs, refuse: () => new TooManyRequests(1) },
      )
      const { email: former, locale } = before.profile
      if (former !== undefined && isMailbox(former) && comparable(former) !== comparable(email))
        afterwards.do(() => sendMail({ kind: 'emailChanged', to: former, locale, link: addresses.account }))
      return after
    },

    /**
     * Sends a code to the number that is to be somebody's; the number as it is kept.
     * @throws NotSelfManaged, AccountInvalid, UserNotFound, TooManyRequests, Busy
     */
    async requestPhone(
      userId: UserId,
      given: string,
      { locale, address }: { readonly locale?: string | undefined; readonly address: string },
    ): Promise<string> {
      await assertMayManage('phone')
      const phone = phoneOf(given)
      if (phone === undefined) throw new AccountInvalid([{ field: 'phone', reason: given.trim() === '' ? 'missing' : 'invalid' }])
      const user = await users.get(userId)
      assertNoWait(await throttle.guess('text message', address))
      // A text message costs money: so many a person, so many a number, and so many at all: where anybody can register, there are as many people as somebody likes.
      if (!(await throttle.mayWrite('codeFor', userId)) || !(await throttle.mayWrite('code', phone))) throw new TooManyRequests(3600)
      if (!(await throttle.maySpend('text message', textsPerHour))) throw new TooManyRequests(3600)
      const code = String(randomInt(10 ** codeDigits)).padStart(codeDigits, '0')
      const expiresAt = new Date(now().getTime() + codeSeconds * 1000)
      const id = newObjectId(now())
      const stored: StoredCode = { id, phone, digest: seal(`${id}:${code}`), until: expiresAt.getTime() }
      await artifacts.put({ model, id: userId, payload: { ...stored }, expiresAt, accountId: userId })
      afterwards.do(() => sendText({ to: phone, locale: user.profile.locale ?? locale, code }))
      return phone
    },

    /** The number that waits for its code. */
    findPhone: async (userId: UserId): Promise<string | undefined> => (await currentCode(userId))?.phone,

    /** Makes the number that a code was sent to that of somebody. @throws ProofExpired, AccountInvalid, NotSelfManaged, UserNotFound, TooManyRequests */
    async confirmPhone(userId: UserId, code: string, { address }: { readonly address: string }): Promise<User> {
      await assertMayManage('phone')
      const stored = await currentCode(userId)
      if (!stored) throw new ProofExpired()
      assertNoWait(await throttle.guess('phone code', address))
      if (!(await throttle.mayTry(`phone code ${stored.id}`, mostTries))) {
        await artifacts.remove(model, userId)
        throw new ProofExpired()
      }
      if (seal(`${stored.id}:${code.replace(/\s/g, '')}`) !== stored.digest) throw new AccountInvalid([{ field: 'code', reason: 'wrong' }])
      await artifacts.remove(model, userId)
      const edit = { profile: (profile: Profile) => ({ ...profile, phone: stored.phone, phoneVerified: true }) }
      return users.edit(userId, edit, { kind: 'user', id: userId })
    },

    /** @throws NotSelfManaged, UserNotFound */
    async removePhone(userId: UserId): Promise<User> {
      await assertMayManage('phone')
      const edit = { profile: ({ phone: _, phoneVerified: __, ...profile }: Profile) => profile }
      return users.edit(userId, edit, { kind: 'user', id: userId })
    },
  }
}

/** A number in the form of E.164, if it is one. */
function phoneOf(given: string): string | undefined {
  const digits = given.replace(/[\s()./-]/g, '')
  return /^\+[1-9]\d{6,14}$/.test(digits) ? digits : undefined
}
