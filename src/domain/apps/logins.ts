/**
 * Logging in to an app: whoever a provider vouches for becomes a user, or is one already, and gets a session.
 */
import { newObjectId } from '#src/base/ids.ts'
import type { AuditStore } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { CustomDataOf } from '../userdata/customData.ts'
import type { Identity, IdentityKey } from '../users/identity.ts'
import type { Profile, User, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { AppView } from './app.ts'
import { authError, invalidLink, providerDisabled, providerNotFound, userDisabled } from './failures.ts'
import type { CallerFacts, CallFunction } from './functions.ts'
import type { AppSession, AppSessions, Device } from './sessions.ts'
import { systemUser, userObjectOf } from './userObject.ts'

/** Whom a provider vouches for. */
export interface Vouched {
  readonly provider: string
  /** What the provider knows them by; it is the identity's id too, unless that is given. */
  readonly key: string
  readonly id?: string
  /** Provider metadata. */
  readonly data: Readonly<Record<string, unknown>>
  /** Of a user who is to be made. */
  readonly profile?: Profile
  readonly username?: string
  readonly hashedPassword?: string
  readonly kind?: User['kind']
  /** The Dossier user whose credentials these were, who logs in to this app for the first time. */
  readonly user?: User
  /** To be called once they are a user, or the identity is linked to one. */
  readonly onEntered?: () => Promise<void>
}

/** Judges the credentials of a login. @throws AppRefused */
export type VouchFor = (view: AppView, credentials: Readonly<Record<string, unknown>>, facts: CallerFacts) => Promise<Vouched>

export interface LoginsDeps {
  readonly users: Pick<Users, 'find' | 'findByIdentity' | 'findByLoginName' | 'findByUsername' | 'create' | 'addIdentity' | 'useIdentity'>
  readonly sessions: AppSessions
  readonly customDataOf: CustomDataOf
  readonly callFunction: CallFunction
  /** By type of provider. */
  readonly vouchers: (type: string) => VouchFor | undefined
  readonly isTaken: (error: unknown, what: 'identity' | 'username') => boolean
  /** Runs `work` while nobody else does who names the same, in whichever process. */
  readonly exclusively: <T>(name: string, work: () => Promise<T>) => Promise<T>
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
}

export interface LoginOptions {
  readonly facts: CallerFacts
  readonly device?: Partial<Device>
  /** The session to whose user the new identity is to be linked. */
  readonly linkTo?: AppSession
}

export interface LoggedIn {
  readonly user: User
  readonly session: AppSession
  readonly accessToken: string
  /** Absent when an identity was linked: the session goes on. */
  readonly refreshToken?: string
}

export type Logins = ReturnType<typeof createLogins>

export function createLogins(deps: LoginsDeps) {
  const { users, sessions, customDataOf, callFunction, vouchers, isTaken, exclusively, audit, recorder } = deps

  /** The identity that somebody gets who logs in by it for the first time. */
  function newIdentity(view: AppView, { provider, key, id, data }: Vouched): Identity {
    const at = recorder.now()
    return { app: view.app.id, provider, key, id: id ?? key, data, createdAt: at.toISOString(), usedAt: at.toISOString() }
  }

  /** Runs the function that goes before every new user of the app. What it throws is what the client is told, and there is no user. */
  async function announce(view: AppView, user: Pick<User, 'id' | 'kind' | 'identities'>, facts: CallerFacts): Promise<void> {
    const name = view.configuration.customUserData?.onUserCreation
    if (name === undefined) return
    await callFunction({ view, name, arguments: [userObjectOf(user, view.app.id)], user: systemUser, facts })
  }

  /** A user name that is free: the one that is wanted, or one that nobody else can have. */
  async function freeUsername(wanted: string | undefined, id: string): Promise<string> {
    return wanted === undefined || wanted === '' || (await users.findByUsername(wanted)) ? `app-user-${id}` : wanted
  }

  async function create(view: AppView, vouched: Vouched, facts: CallerFacts): Promise<User> {
    const { profile = {}, username, hashedPassword, kind = 'human' } = vouched
    const id = newObjectId(recorder.now()) as UserId
    const identity = newIdentity(view, vouched)
    await announce(view, { id, kind, identities: [identity] }, facts)
    // An address that somebody has proved already stays theirs: signing in by it means them.
    const isOthers = profile.emailVerified && profile.email !== undefined && (await users.findByLoginName(profile.email)) !== undefined
    const told = isOthers ? { ...profile, emailVerified: false } : profile
    const wanted = { id, kind, profile: told, hashedPassword, identities: [identity], cameBy: view.app.id }
    const actor = { kind: 'user', id } as const
    try {
      return await users.create({ ...wanted, username: await freeUsername(username, id) }, actor)
    } catch (error) {
      if (!isTaken(error, 'username')) throw error
      return users.create({ ...wanted, username: `app-user-${id}` }, actor)
    }
  }

  /** The user of whom a provider vouches: found, made, or one of Dossier's who comes to this app now. */
  async function enter(view: AppView, vouched: Vouched, facts: CallerFacts): Promise<User> {
    const key: IdentityKey = { app: view.app.id, provider: vouched.provider, key: vouched.key }
    const known = await users.findByIdentity(key)
    if (known) return used(known, key, vouched)
    // Of several who come at once with the same, one is made a user, and its creation function runs once.
    return exclusively(`login ${key.app} ${key.provider} ${key.key}`, async () => {
      const found = await users.findByIdentity(key)
      if (found) return used(found, key, vouched)
      if (!vouched.user) return create(view, vouched, facts)
      const identity = newIdentity(view, vouched)
      await announce(view, { ...vouched.user, identities: [...(vouched.user.identities ?? []), identity] }, facts)
      return users.addIdentity(vouched.user.id, identity, { kind: 'user', id: vouched.user.id })
    })
  }

  function used(user: User, key: IdentityKey, { data }: Vouched): Promise<User> {
    if (user.state !== 'active') throw userDisabled()
    return users.useIdentity(user.id, key, { data, usedAt: recorder.now().toISOString() })
  }

  async function link(view: AppView, vouched: Vouched, { userId }: AppSession): Promise<User> {
    const key: IdentityKey = { app: view.app.id, provider: vouched.provider, key: vouched.key }
    const user = await users.find(userId)
    if (!user) throw invalidLink('the user is gone')
    if (vouched.provider === 'anon-user') throw invalidLink('an anonymous login cannot be linked')
    if (vouched.user && vouched.user.id !== userId) throw invalidLink('a user already logs in by these credentials')
    if (await users.findByIdentity(key)) throw invalidLink('a user already logs in by these credentials')
    const own = (user.identities ?? []).filter(({ app }) => app === view.app.id)
    if (vouched.provider === 'local-userpass' && own.some(({ provider }) => provider === 'local-userpass')) {
      throw invalidLink('the user has an e-mail address and a password already')
    }
    const { hashedPassword, profile = {} } = vouched
    if (hashedPassword !== undefined && user.passwordHash !== undefined) throw invalidLink('the user has a password already')
    try {
      return await users.addIdentity(userId, newIdentity(view, vouched), { kind: 'user', id: userId }, { hashedPassword, profile })
    } catch (error) {
      if (isTaken(error, 'identity')) throw invalidLink('a user already logs in by these credentials')
      throw error
    }
  }

  async function accessTokenOf(view: AppView, session: AppSession): Promise<string> {
    return sessions.accessTokenOf(session, await customDataOf(view, session.userId))
  }

  /** Gives a session to somebody for whom a provider has vouched. */
  async function admit(view: AppView, vouched: Vouched, { facts, device, linkTo }: LoginOptions): Promise<LoggedIn> {
    if (linkTo) {
      const user = await link(view, vouched, linkTo)
      await vouched.onEntered?.()
      return { user, session: linkTo, accessToken: await accessTokenOf(view, linkTo) }
    }
    const user = await enter(view, vouched, facts)
    await vouched.onEntered?.()
    if (user.state !== 'active') throw userDisabled()
    const identity = (user.identities ?? []).find(
      (each) => each.app === view.app.id && each.provider === vouched.provider && each.key === vouched.key,
    )
    if (!identity) throw authError('the login is gone')
    const session = await sessions.start(view.app, user, identity, device)
    const itself = { kind: 'user', id: user.id } as const
    const event = recorder.event('user.logged_in', itself, itself, { app: view.app.id, provider: vouched.provider, address: facts.address })
    const [accessToken] = await Promise.all([accessTokenOf(view, session), audit.record([event])])
    return { user, session, accessToken, refreshToken: sessions.refreshTokenOf(session) }
  }

  return {
    admit,
    accessTokenOf,

    /** Logs somebody in by credentials, or links these to the user of a session. @throws AppRefused, FunctionFailed */
    async login(view: AppView, type: string, credentials: Readonly<Record<string, unknown>>, options: LoginOptions): Promise<LoggedIn> {
      assertEnabled(view, type)
      const vouchFor = vouchers(type)
      if (!vouchFor) throw providerNotFound(type)
      return admit(view, await vouchFor(view, credentials, options.facts), options)
    },

    /** A fresh access token of a session, with the custom user data of now. @throws AppRefused */
    async refresh(view: AppView, session: AppSession): Promise<string> {
      const user = await users.find(session.userId)
      if (user?.state !== 'active') throw userDisabled()
      return accessTokenOf(view, session)
    },

    /** Makes a user without a login: for the admin API, and for whoever has confirmed an address. @throws AppRefused, FunctionFailed */
    enter,
  }
}

/** @throws AppRefused */
export function assertEnabled({ configuration }: AppView, type: string): void {
  const provider = configuration.providers.get(type)
  if (!provider) throw providerNotFound(type)
  if (provider.disabled) throw providerDisabled(type)
}
