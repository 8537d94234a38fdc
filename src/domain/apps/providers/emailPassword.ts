/**
 * E-mail address and password (contracts/app-services.md, section 3.2): registration with confirmation by a link, by a function or at once, and the reset of a password by
 * either. Whoever has registered is a user from the first login on, or from when the login is linked to a user. A Dossier user logs in here too, by a proven address and their password.
 */
import { isObjectId, newObjectId, newSecret } from '#src/base/ids.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { ArtifactStore } from '../../sessions/store.ts'
import type { Passwords } from '../../users/passwords.ts'
import type { Throttle } from '../../users/throttle.ts'
import type { User } from '../../users/user.ts'
import type { Users } from '../../users/users.ts'
import type { AppView } from '../app.ts'
import {
  AppRefused,
  authError,
  badRequest,
  invalidPassword,
  missingParameter,
  nameInUse,
  tokenInvalid,
  userDisabled,
  userNotFound,
} from '../failures.ts'
import type { CallerFacts, CallFunction } from '../functions.ts'
import { assertEnabled, type Logins, type Vouched, type VouchFor } from '../logins.ts'
import { systemUser } from '../userObject.ts'

/** A message to somebody, to be written and sent by whoever is given. */
export interface AppMail {
  readonly kind: 'confirm' | 'reset'
  readonly to: string
  readonly app: string
  /** Of the app's configuration, if it has one. */
  readonly subject?: string
  /** Where the person goes: the app's address with `token` and `tokenId`. */
  readonly link: string
}

export interface EmailPasswordDeps {
  readonly users: Pick<Users, 'findByIdentity' | 'findByLoginName' | 'setPasswordHash' | 'rehashPassword'>
  readonly passwords: Pick<Passwords, 'hash' | 'verify'>
  readonly throttle: Throttle
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'insert' | 'remove' | 'consume' | 'list'>
  readonly callFunction: CallFunction
  readonly sendMail: (mail: AppMail) => Promise<void>
  /** Makes somebody a user who has confirmed. */
  readonly enter: Logins['enter']
  readonly hash: (secret: string) => string
  readonly now: () => Date
}

/** Somebody who has registered and has not logged in yet. */
export interface Registration {
  readonly id: string
  readonly app: string
  readonly email: string
  readonly hashedPassword: string
  readonly createdAt: string
  readonly tokenId: string
  readonly tokenHash: string
  readonly tokenExpiresAt: string
  /** Set when they have confirmed, or need not: whether that proved the address. */
  readonly confirmed?: { readonly isProved: boolean }
}

interface Holder {
  /** Of the identity, which is that of the registration from which it came. */
  readonly id: string
  readonly passwordHash: string | undefined
  readonly user?: User
  readonly registration?: Registration
}

/** A link to a new password. */
interface Reset {
  readonly app: string
  readonly email: string
  readonly holderId: string
  readonly tokenHash: string
  /** Of a reset by a function, which was told the password that is wanted. */
  readonly hashedPassword?: string
}

export type EmailPassword = ReturnType<typeof createEmailPassword>

const provider = 'local-userpass'
const registrationModel = 'AppRegistration'
const tokenModel = 'AppRegistrationToken'
const resetModel = 'AppPasswordReset'
/** A link is good for half an hour. */
const tokenMs = 30 * 60_000
const least = 6
const most = 128

export function createEmailPassword(deps: EmailPasswordDeps) {
  const { users, passwords, throttle, artifacts, callFunction, sendMail, enter, hash, now } = deps
  const idOf = (app: string, email: string) => `${app}:${email}`
  const configOf = ({ configuration }: AppView) => configuration.providers.get(provider)?.config ?? {}

  async function findRegistration({ app }: AppView, email: string): Promise<Registration | undefined> {
    return (await artifacts.find(registrationModel, idOf(app.id, email)))?.payload as Registration | undefined
  }

  const findUser = ({ app }: AppView, email: string) => users.findByIdentity({ app: app.id, provider, key: email })

  /** A registration with a new token; the one before is no good any more. */
  async function withToken(registration: Omit<Registration, 'tokenId' | 'tokenHash' | 'tokenExpiresAt'>): Promise<{
    readonly registration: Registration
    readonly token: string
  }> {
    const token = newSecret()
    const expiresAt = new Date(now().getTime() + tokenMs)
    const next = { ...registration, tokenId: newObjectId(now()), tokenHash: hash(token), tokenExpiresAt: expiresAt.toISOString() }
    await artifacts.put({ model: tokenModel, id: next.tokenId, payload: { email: next.email, app: next.app }, expiresAt })
    return { registration: next, token }
  }

  const put = (registration: Registration) =>
    artifacts.put({ model: registrationModel, id: idOf(registration.app, registration.email), payload: { ...registration } })

  const remove = ({ app, email }: Registration) => artifacts.remove(registrationModel, idOf(app, email))

  /** Notes that somebody has confirmed, by a link, a function or an administrator: they may log in. */
  const complete = (registration: Registration, isProved: boolean) => put({ ...registration, confirmed: { isProved } })

  /** Somebody who has confirmed, at the first login. */
  function newcomer(registration: Registration): Vouched {
    const { id, email, hashedPassword, confirmed } = registration
    return {
      provider,
      key: email,
      id,
      data: { email },
      profile: isAddress(email) ? { email, ...(confirmed?.isProved && { emailVerified: true }) } : {},
      username: email,
      hashedPassword,
      onEntered: () => remove(registration),
    }
  }

  /** Runs the confirmation function, and does what it says. */
  async function confirmByFunction(view: AppView, registration: Registration, token: string, facts: CallerFacts): Promise<void> {
    const { confirmationFunctionName: name = '' } = configOf(view)
    const { email: username, tokenId } = registration
    const status = statusOf(await callFunction({ view, name, arguments: [{ token, tokenId, username }], user: systemUser, facts }))
    if (status === 'success') await complete(registration, false)
    else if (status === 'fail') {
      await artifacts.remove(registrationModel, idOf(view.app.id, username))
      throw badRequest(`failed to confirm user "${username}"`)
    }
  }

  async function sendLink(view: AppView, registration: Registration, token: string): Promise<void> {
    const { emailConfirmationUrl, confirmEmailSubject: subject } = configOf(view)
    if (!emailConfirmationUrl) throw badRequest('the app has no emailConfirmationUrl to send people to')
    const link = linkOf(emailConfirmationUrl, token, registration.tokenId)
    await sendMail({ kind: 'confirm', to: registration.email, app: view.app.name, link, ...(subject && { subject }) })
  }

  /** Whose password an address goes with: a user, or somebody who has confirmed and not logged in yet. */
  async function findHolder(view: AppView, email: string): Promise<Holder | undefined> {
    const user = await findUser(view, email)
    const identity = user?.identities?.find((each) => each.app === view.app.id && each.provider === provider && each.key === email)
    if (user && identity) return { id: identity.id, passwordHash: user.passwordHash, user }
    const registration = await findRegistration(view, email)
    return registration?.confirmed && { id: registration.id, passwordHash: registration.hashedPassword, registration }
  }

  async function holderOf(view: AppView, email: string): Promise<Holder> {
    const holder = await findHolder(view, email)
    if (!holder) throw userNotFound()
    return holder
  }

  /** A new password; sessions end. */
  async function setPassword({ user, registration }: Holder, hashedPassword: string): Promise<void> {
    if (registration) await put({ ...registration, hashedPassword })
    if (user) await users.setPasswordHash(user.id, hashedPassword, { kind: 'user', id: user.id })
  }

  async function startReset(
    view: AppView,
    holder: Holder,
    email: string,
    hashedPassword?: string,
  ): Promise<{ readonly token: string; readonly tokenId: string }> {
    const token = newSecret()
    const tokenId = newObjectId(now())
    const payload: Reset = {
      app: view.app.id,
      email,
      holderId: holder.id,
      tokenHash: hash(token),
      ...(hashedPassword && { hashedPassword }),
    }
    await artifacts.put({ model: resetModel, id: tokenId, payload: { ...payload }, expiresAt: new Date(now().getTime() + tokenMs) })
    return { token, tokenId }
  }

  const vouchFor: VouchFor = async (view, { username: email, password }, { address }) => {
    if (typeof email !== 'string' || email === '') throw missingParameter('username')
    if (typeof password !== 'string' || password === '') throw missingParameter('password')
    // The same name as on Dossier's own page: who guesses here and there guesses twice.
    const attempt = { name: email, address }
    await assertPatience(throttle, attempt)
    const registered = await findUser(view, email)
    const user = registered ?? (email.includes('@') ? await users.findByLoginName(email) : undefined)
    const registration = user ? undefined : await findRegistration(view, email)
    const stored = user?.kind === 'human' ? user.passwordHash : registration?.hashedPassword
    if (!(await passwords.verify(password, stored))) throw invalidPassword()
    await throttle.succeeded(attempt)
    if (!user) {
      if (!registration?.confirmed) throw authError('confirmation required')
      return newcomer(registration)
    }
    if (user.state !== 'active') throw userDisabled()
    await users.rehashPassword(user, password)
    return { provider, key: email, id: newObjectId(now()), data: { email }, ...(!registered && { user }) }
  }

  return {
    vouchFor,

    /** @throws AppRefused, FunctionFailed, Busy */
    async register(view: AppView, given: { readonly email?: unknown; readonly password?: unknown }, facts: CallerFacts): Promise<void> {
      assertEnabled(view, provider)
      const email = emailOf(given.email)
      const password = passwordOf(given.password)
      assertNoWait(await throttle.guess('app registration', facts.address))
      const hashedPassword = await passwords.hash(password, least)
      if (await isTaken(view, email)) throw nameInUse()
      const at = now()
      const { registration, token } = await withToken({
        id: newObjectId(at),
        app: view.app.id,
        email,
        hashedPassword,
        createdAt: at.toISOString(),
      })
      const isOurs = await artifacts.insert({ model: registrationModel, id: idOf(view.app.id, email), payload: { ...registration } })
      if (!isOurs) throw nameInUse()
      const { autoConfirm, runConfirmationFunction } = configOf(view)
      try {
        if (autoConfirm) await complete(registration, false)
        else if (runConfirmationFunction) await confirmByFunction(view, registration, token, facts)
        else await sendLink(view, registration, token)
      } catch (error) {
        // Nobody has registered who could not be told, and whom no function let in: the address is free again.
        await artifacts.remove(registrationModel, idOf(view.app.id, email))
        throw error
      }
    },

    /** @throws AppRefused, FunctionFailed */
    async confirm(view: AppView, given: { readonly token?: unknown; readonly tokenId?: unknown }): Promise<void> {
      assertEnabled(view, provider)
      const { token, tokenId } = tokensOf(given)
      const found = (await artifacts.find(tokenModel, tokenId))?.payload as { email: string; app: string } | undefined
      const registration = found?.app === view.app.id ? await findRegistration(view, found.email) : undefined
      if (registration?.tokenId !== tokenId || registration.tokenHash !== hash(token)) throw tokenInvalid()
      if (!(await artifacts.consume(tokenModel, tokenId, now()))) throw tokenInvalid()
      await complete(registration, configOf(view).runConfirmationFunction !== true)
    },

    /** Sends the link once more. @throws AppRefused */
    async resendConfirmation(view: AppView, given: { readonly email?: unknown }, facts: CallerFacts): Promise<void> {
      assertEnabled(view, provider)
      const email = emailOf(given.email)
      const { autoConfirm, runConfirmationFunction } = configOf(view)
      if (autoConfirm || runConfirmationFunction) throw badRequest('the app does not confirm users by e-mail')
      await assertPatience(throttle, { name: `${view.app.id}:resend:${email}`, address: facts.address })
      const { registration, token } = await withToken(await pending(view, email))
      await put(registration)
      await sendLink(view, registration, token)
    },

    /** Runs the confirmation function once more. @throws AppRefused, FunctionFailed */
    async rerunConfirmation(view: AppView, given: { readonly email?: unknown }, facts: CallerFacts): Promise<void> {
      assertEnabled(view, provider)
      const email = emailOf(given.email)
      if (!configOf(view).runConfirmationFunction) throw badRequest('the app does not confirm users by a function')
      await assertPatience(throttle, { name: `${view.app.id}:resend:${email}`, address: facts.address })
      const { registration, token } = await withToken(await pending(view, email))
      await put(registration)
      await confirmByFunction(view, registration, token, facts)
    },

    /** Sends a link to a new password. @throws AppRefused */
    async sendReset(view: AppView, given: { readonly email?: unknown }, facts: CallerFacts): Promise<void> {
      assertEnabled(view, provider)
      const email = emailOf(given.email)
      const { runResetFunction, resetPasswordUrl, resetPasswordSubject: subject } = configOf(view)
      if (runResetFunction) throw badRequest('the app resets passwords by a function, not by e-mail')
      if (!resetPasswordUrl) throw badRequest('the app has no resetPasswordUrl to send people to')
      await assertPatience(throttle, { name: `${view.app.id}:reset:${email}`, address: facts.address })
      const { token, tokenId } = await startReset(view, await holderOf(view, email), email)
      await sendMail({
        kind: 'reset',
        to: email,
        app: view.app.name,
        link: linkOf(resetPasswordUrl, token, tokenId),
        ...(subject && { subject }),
      })
    },

    /** Sets the password that a link, or a function, was about. @throws AppRefused */
    async reset(
      view: AppView,
      given: { readonly token?: unknown; readonly tokenId?: unknown; readonly password?: unknown },
    ): Promise<void> {
      assertEnabled(view, provider)
      const { token, tokenId } = tokensOf(given)
      const found = (await artifacts.find(resetModel, tokenId))?.payload as Reset | undefined
      if (found?.app !== view.app.id || found.tokenHash !== hash(token)) throw tokenInvalid()
      const hashedPassword = await passwords.hash(passwordOf(given.password), least)
      if (!(await artifacts.consume(resetModel, tokenId, now()))) throw tokenInvalid()
      const holder = await findHolder(view, found.email)
      if (holder?.id !== found.holderId) throw tokenInvalid()
      await setPassword(holder, hashedPassword)
    },

    /** Asks the reset function, which may set the password at once. @throws AppRefused, FunctionFailed */
    async callReset(
      view: AppView,
      given: { readonly email?: unknown; readonly password?: unknown; readonly arguments?: unknown },
      facts: CallerFacts,
    ): Promise<void> {
      assertEnabled(view, provider)
      const email = emailOf(given.email)
      const password = passwordOf(given.password)
      const { runResetFunction, resetFunctionName: name } = configOf(view)
      if (!runResetFunction || !name) throw badRequest('the app does not reset passwords by a function')
      await assertPatience(throttle, { name: `${view.app.id}:reset:${email}`, address: facts.address })
      const holder = await holderOf(view, email)
      const currentPasswordValid = await passwords.verify(password, holder.passwordHash)
      const hashedPassword = await passwords.hash(password, least)
      const { token, tokenId } = await startReset(view, holder, email)
      const more = Array.isArray(given.arguments) ? given.arguments : []
      const first = { username: email, password, token, tokenId, currentPasswordValid }
      const status = statusOf(await callFunction({ view, name, arguments: [first, ...more], user: systemUser, facts }))
      if (status === 'fail') throw badRequest(`failed to reset password for user "${email}"`)
      if (status === 'success') await setPassword(holder, hashedPassword)
    },

    /** For the admin API: those who have registered and not confirmed, by address. */
    async listPending(
      { app }: AppView,
      { after, limit }: { readonly after?: string; readonly limit: number },
    ): Promise<readonly Registration[]> {
      const found: Registration[] = []
      for (let last = idOf(app.id, after ?? ''); found.length < limit; ) {
        const page = (await artifacts.list(registrationModel, { after: last, limit })).map(payloadOf<Registration>)
        found.push(...page.filter((each) => each.app === app.id && !each.confirmed))
        const end = page.at(-1)
        if (page.length < limit || end?.app !== app.id) break
        last = idOf(app.id, end.email)
      }
      return found.slice(0, limit)
    },

    /** For the admin API: whether there was such a registration. */
    async removePending(view: AppView, email: string): Promise<boolean> {
      if (!(await findRegistration(view, email))) return false
      await artifacts.remove(registrationModel, idOf(view.app.id, email))
      return true
    },

    /** For the admin API: confirms somebody in their place. @throws AppRefused, FunctionFailed */
    confirmPending: async (view: AppView, email: string): Promise<void> => complete(await pending(view, email), false),

    /** For the admin API: a user at once. @throws AppRefused, FunctionFailed */
    async create(view: AppView, given: { readonly email?: unknown; readonly password?: unknown }, facts: CallerFacts): Promise<User> {
      const email = emailOf(given.email)
      const hashedPassword = await passwords.hash(passwordOf(given.password), least)
      if (await isTaken(view, email)) throw nameInUse()
      const vouched: Vouched = {
        provider,
        key: email,
        id: newObjectId(now()),
        data: { email },
        profile: isAddress(email) ? { email } : {},
        username: email,
        hashedPassword,
      }
      return enter(view, vouched, facts)
    },
  }

  /** Whether somebody has registered under an address, in this app or as a user of Dossier's who may log in to it. */
  async function isTaken(view: AppView, email: string): Promise<boolean> {
    const [user, registration, other] = await Promise.all([
      findUser(view, email),
      findRegistration(view, email),
      email.includes('@') ? users.findByLoginName(email) : undefined,
    ])
    return user !== undefined || registration !== undefined || (other?.passwordHash !== undefined && other.profile.emailVerified === true)
  }

  /** @throws AppRefused when nobody has registered so, or has confirmed already */
  async function pending(view: AppView, email: string): Promise<Registration> {
    const registration = await findRegistration(view, email)
    if (registration && !registration.confirmed) return registration
    if (registration || (await findUser(view, email))) throw new AppRefused(400, 'UserAlreadyConfirmed', 'already confirmed')
    throw userNotFound()
  }
}

async function assertPatience(throttle: Throttle, attempt: { readonly name: string; readonly address: string }): Promise<void> {
  assertNoWait(await throttle.attempt(attempt))
}

function assertNoWait(retryAfterSeconds: number): void {
  if (retryAfterSeconds === 0) return
  throw new AppRefused(429, 'TooManyRequests', `too many attempts; try again in ${retryAfterSeconds} seconds`, { retryAfterSeconds })
}

function emailOf(email: unknown): string {
  if (typeof email !== 'string' || email === '') throw missingParameter('email')
  if (email.length > 128 || /\p{Cc}/u.test(email)) throw badRequest('email must be between 1 and 128 characters')
  return email
}

function passwordOf(password: unknown): string {
  if (typeof password !== 'string' || password === '') throw missingParameter('password')
  const { length } = [...password]
  if (length < least || length > most) throw badRequest(`password must be between ${least} and ${most} characters`)
  return password
}

function tokensOf({ token, tokenId }: { readonly token?: unknown; readonly tokenId?: unknown }): {
  readonly token: string
  readonly tokenId: string
} {
  if (typeof token !== 'string' || token === '') throw missingParameter('token')
  if (typeof tokenId !== 'string' || tokenId === '') throw missingParameter('tokenId')
  if (!isObjectId(tokenId)) throw badRequest('invalid token data')
  return { token, tokenId }
}

/** What a function that decides says: anything but the three words is a failure. */
function statusOf(answer: unknown): 'success' | 'pending' | 'fail' {
  const status = typeof answer === 'object' && answer !== null ? (answer as { status?: unknown }).status : undefined
  return status === 'success' || status === 'pending' ? status : 'fail'
}

function linkOf(address: string, token: string, tokenId: string): string {
  const url = new URL(address)
  url.searchParams.set('token', token)
  url.searchParams.set('tokenId', tokenId)
  return url.href
}

const isAddress = (text: string) => /^[^\s@]+@[^\s@]+$/.test(text)
