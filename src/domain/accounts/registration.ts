import { isPersonName } from '#src/base/forms.ts'
import { newObjectId } from '#src/base/ids.ts'
import type { RegistrationField } from '../applications/application.ts'
import type { Lock } from '../sessions/lock.ts'
import type { Passwords } from '../users/passwords.ts'
import type { Throttle } from '../users/throttle.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import {
  type AccountAddresses,
  assertFaultless,
  assertNoWait,
  type FieldFault,
  isMailbox,
  NotSelfManaged,
  type ReadSettings,
  TooManyRequests,
} from './accounts.ts'
import type { Afterwards } from './afterwards.ts'
import type { Links, PendingRegistration } from './links.ts'
import type { SendAccountMail } from './mail.ts'

export interface RegistrationDeps {
  readonly settings: ReadSettings
  readonly users: Pick<Users, 'create' | 'findByLoginName'>
  readonly passwords: Pick<Passwords, 'hash' | 'verify'>
  readonly throttle: Pick<Throttle, 'guess' | 'mayWrite' | 'mayTry'>
  readonly links: Links
  readonly afterwards: Afterwards
  readonly sendMail: SendAccountMail
  readonly addresses: Pick<AccountAddresses, 'confirmRegistration' | 'signIn'>
  readonly exclusively: Lock
  readonly comparable: (name: string) => string
  readonly hash: (text: string) => string
  readonly assertUsername: (username: string) => void
  readonly assertMetadata: (key: string, value: Uint8Array) => void
  readonly passwordFault: (password: string) => 'tooShort' | 'tooLong' | undefined
  readonly matcherOf: (pattern: string) => (text: string) => boolean
  readonly now: () => Date
}

/** What somebody has typed. */
export interface RegistrationForm {
  /** Empty for whoever signs in by their e-mail address. */
  readonly username: string
  readonly email: string
  readonly givenName: string
  readonly familyName: string
  readonly password: string
  /** By key. Those that the settings do not name are not heard. */
  readonly fields: Readonly<Record<string, string>>
  readonly locale?: string | undefined
  readonly interaction?: string | undefined
  /** What only this browser has. */
  readonly browser?: string | undefined
}

/** What comes with the press of the button that a link leads to. */
export interface Following {
  readonly address: string
  /** What the browser has that the form came from, if it is the same. */
  readonly browser?: string | undefined
  readonly password?: string | undefined
  /** Another name, where theirs was taken. */
  readonly username?: string | undefined
}

/** What came of following the link. */
export type Confirmation =
  | { readonly kind: 'confirmed'; readonly user: User; readonly interaction?: string }
  /** It is another browser: whoever reads the mail has to be the one who chose the password, or it would be somebody else's account with their address. */
  | { readonly kind: 'passwordWanted'; readonly isWrong: boolean }
  /** Somebody has that name; the link is good for another one. */
  | { readonly kind: 'usernameTaken'; readonly username: string }
  /** Somebody has made an account with the address meanwhile. */
  | { readonly kind: 'addressTaken' }
  /** It was followed before: there is an account. */
  | { readonly kind: 'used' }
  | { readonly kind: 'expired' }

const lifetimeSeconds = 3600
const mostNameCharacters = 200
const arrivalSeconds = 300
const mostPasswords = 10
/** Of one address, one after the other. */
const patienceMs = 10_000

export type Registration = ReturnType<typeof createRegistration>

/**
 * Registration with proof of the address. The answer to a form depends on the form alone: whether somebody has the address or the name is found out afterwards, and told to the
 * address only. There is no user before the link is followed.
 */
export function createRegistration(deps: RegistrationDeps) {
  const { settings, users, passwords, throttle, links, afterwards, sendMail, addresses, exclusively, comparable, hash, now } = deps

  const isOpen = async () => (await settings()).registration === 'open'

  async function assertOpen(): Promise<void> {
    if (!(await isOpen())) throw new NotSelfManaged('accounts')
  }

  /** A name that is an address is one's own: nobody takes that of somebody who is still to come. */
  function usernameFaults(username: string, email: string): readonly FieldFault[] {
    try {
      deps.assertUsername(username)
    } catch {
      return [{ field: 'username', reason: [...username].length > mostNameCharacters ? 'tooLong' : 'invalid' }]
    }
    return username.includes('@') && comparable(username) !== comparable(email) ? [{ field: 'username', reason: 'notYours' }] : []
  }

  function fieldFault({ key, pattern, required }: RegistrationField, text: string): FieldFault | undefined {
    const field = `fields.${key}`
    if (text === '') return required ? { field, reason: 'missing' } : undefined
    if (text.length > 1000) return { field, reason: 'tooLong' }
    if (pattern !== undefined && !deps.matcherOf(pattern)(text)) return { field, reason: 'invalid' }
    try {
      deps.assertMetadata(key, Buffer.from(text))
      return undefined
    } catch {
      return { field, reason: 'invalid' }
    }
  }

  /** What was typed as it is kept, without its password. @throws AccountInvalid with all that is wrong */
  async function read(form: RegistrationForm): Promise<Omit<PendingRegistration, 'hashedPassword'>> {
    const { registrationFields } = await settings()
    const email = form.email.trim()
    const username = form.username.trim() || email
    const names = { givenName: form.givenName.trim(), familyName: form.familyName.trim() }
    const metadata = registrationFields.map((field) => ({
      field,
      text: (Object.hasOwn(form.fields, field.key) ? (form.fields[field.key] ?? '') : '').trim(),
    }))
    const password = deps.passwordFault(form.password)
    const faults: readonly (FieldFault | undefined)[] = [
      email === '' ? { field: 'email', reason: 'missing' } : isMailbox(email) ? undefined : { field: 'email', reason: 'invalid' },
      ...(username === '' || username === email ? [] : usernameFaults(username, email)),
      ...Object.entries(names).map(([field, name]) => nameFault(field, name)),
      form.password === '' ? { field: 'password', reason: 'missing' } : password && { field: 'password', reason: password },
      ...metadata.map(({ field, text }) => fieldFault(field, text)),
    ]
    assertFaultless(faults.filter((fault) => fault !== undefined))
    return {
      username,
      email,
      ...(names.givenName && { givenName: names.givenName }),
      ...(names.familyName && { familyName: names.familyName }),
      ...(form.locale !== undefined && { locale: form.locale }),
      ...(form.interaction !== undefined && { interaction: form.interaction }),
      ...(form.browser !== undefined && { browserHash: hash(form.browser) }),
      metadata: metadata.filter(({ text }) => text !== '').map(({ field: { key }, text }) => ({ key, text })),
    }
  }

  async function invite(pending: PendingRegistration): Promise<void> {
    const { email: to, locale } = pending
    if (!(await throttle.mayWrite('registration', to))) return
    const owner = await users.findByLoginName(to)
    if (owner) return sendMail({ kind: 'addressTaken', to, locale: owner.profile.locale ?? locale, link: addresses.signIn })
    const secret = await links.issue('registration', pending, { lifetimeSeconds })
    await sendMail({ kind: 'registration', to, locale, link: addresses.confirmRegistration(secret) })
  }

  function enter({ username, email, hashedPassword, metadata, givenName, familyName, locale }: PendingRegistration): Promise<User> {
    const id = newObjectId(now())
    const profile = {
      ...(givenName && { givenName }),
      ...(familyName && { familyName }),
      ...(locale && { locale }),
      email,
      emailVerified: true,
    }
    const values = metadata.map(({ key, text }) => ({ key, value: Buffer.from(text) }))
    return users.create({ id, kind: 'human', username, profile, hashedPassword, metadata: values }, { kind: 'user', id })
  }

  return {
    isOpen,
    /** The organization's own fields. */
    fields: async (): Promise<readonly RegistrationField[]> => (await settings()).registrationFields,

    /** Takes a form; what comes of it goes by mail. @throws NotSelfManaged, AccountInvalid, TooManyRequests, Busy */
    async begin(form: RegistrationForm, { address }: { readonly address: string }): Promise<void> {
      await assertOpen()
      const pending = await read(form)
      assertNoWait(await throttle.guess('account registration', address))
      const hashedPassword = await passwords.hash(form.password)
      afterwards.do(() => invite({ ...pending, hashedPassword }))
    },

    /** Whom a link is for, while it is good; `isKnown` when the form came from the browser that has `browser`. */
    async find(
      secret: string,
      browser?: string,
    ): Promise<{ readonly email: string; readonly username: string; readonly isKnown: boolean } | undefined> {
      const pending = await links.find('registration', secret)
      return pending && { email: pending.email, username: pending.username, isKnown: isFrom(pending, browser) }
    },

    /**
     * Makes the user that a link is about, with another `username` where theirs was taken. Of many at once, one does.
     * @throws NotSelfManaged, AccountInvalid, TooManyRequests, Busy
     */
    async confirm(secret: string, { username: given, password, browser, address }: Following): Promise<Confirmation> {
      const found = await links.look('registration', secret)
      if (!found) return { kind: 'expired' }
      await assertOpen()
      const pending = { ...found.about, username: given?.trim() || found.about.username }
      if (!isFrom(pending, browser)) {
        if (!password) return { kind: 'passwordWanted', isWrong: false }
        assertNoWait(await throttle.guess('registration password', address))
        if (!(await throttle.mayTry(`registration ${hash(secret)}`, mostPasswords))) return { kind: 'expired' }
        if (!(await passwords.verify(password, pending.hashedPassword))) return { kind: 'passwordWanted', isWrong: true }
      }
      if (pending.username !== pending.email) assertFaultless(usernameFaults(pending.username, pending.email))
      // Who has a name can be asked only so often.
      if (given !== undefined) assertNoWait(await throttle.guess('user name', address))
      return exclusively(`address ${hash(comparable(pending.email))}`, () => admit(secret, pending), {
        patienceMs,
        refuse: () => new TooManyRequests(1),
      })
    },

    /** For whoever was just let in: what they can be signed in with to the interaction that they came from, once and soon. */
    arrive: (user: User, interaction: string): Promise<string> =>
      links.issue('arrival', { userId: user.id, interaction }, { lifetimeSeconds: arrivalSeconds, userId: user.id, isOnly: true }),

    /** Who arrives at an interaction. */
    async arrived(ticket: string, interaction: string): Promise<string | undefined> {
      const found = await links.find('arrival', ticket)
      return found?.interaction === interaction && (await links.use('arrival', ticket)) ? found.userId : undefined
    },
  }

  function isFrom({ browserHash }: PendingRegistration, browser: string | undefined): boolean {
    return browser !== undefined && browserHash === hash(browser)
  }

  async function admit(secret: string, pending: PendingRegistration): Promise<Confirmation> {
    if (!(await links.find('registration', secret))) return { kind: 'used' }
    if (await users.findByLoginName(pending.email)) {
      await links.use('registration', secret)
      return { kind: 'addressTaken' }
    }
    const user = await enter(pending).catch(unlessTaken)
    if (!user) return { kind: 'usernameTaken', username: pending.username }
    await links.use('registration', secret)
    return { kind: 'confirmed', user, ...(pending.interaction !== undefined && { interaction: pending.interaction }) }
  }
}

function nameFault(field: string, name: string): FieldFault | undefined {
  if ([...name].length > mostNameCharacters) return { field, reason: 'tooLong' }
  return name === '' || isPersonName(name) ? undefined : { field, reason: 'invalid' }
}

function unlessTaken(error: unknown): undefined {
  if ((error as { code?: unknown }).code === 'user.username_taken') return undefined
  throw error
}
