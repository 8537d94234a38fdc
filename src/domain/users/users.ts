import { isObjectId, newObjectId, newSecret } from '#src/base/ids.ts'
import type { Actor, AuditEvent } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { MetadataEntry } from '../metadata/metadata.ts'
import type { Identity, IdentityKey } from './identity.ts'
import { type KeyFile, type MachineKey, machineKeyLimit, newMachineKeyPair, publicJwkOf } from './machineKeys.ts'
import { type Passwords, passwordScheme } from './passwords.ts'
import { hashSecret } from './secrets.ts'
import type { PersonalAccessTokenStore, UserChange, UserStore } from './store.ts'
import {
  assertAcceptableProfile,
  comparable,
  isActive,
  isLeaving,
  type Profile,
  type User,
  type UserId,
  UserInvalid,
  UserNotFound,
  UsernameTaken,
} from './user.ts'

export interface UsersDeps {
  readonly store: UserStore
  readonly tokens: PersonalAccessTokenStore
  readonly passwords: Passwords
  readonly recorder: Recorder
  /** Ends every session and token of a user who may no longer act. */
  readonly endSessions: (userId: UserId) => Promise<void>
  /** Whether somebody who managed nothing comes to manage something. */
  readonly becomesManager: (before: User, after: User) => Promise<boolean>
  /** Told of a user who is about to leave an app, while they are there still. */
  readonly onLeaving: (user: User, app: string) => Promise<void>
  /** Forgets who has failed to sign in under a name, so that nobody must wait. */
  readonly forgiveFailures: (loginName: string) => Promise<void>
}

export interface NewUser {
  readonly id?: string
  readonly kind: 'human' | 'machine'
  readonly username: string
  readonly profile: Profile
  readonly password?: string
  /** Made elsewhere. */
  readonly passwordHash?: string
  /** Made by `Passwords.hash`. */
  readonly hashedPassword?: string
  readonly identities?: readonly Identity[]
  /** The App Services app that the user comes by. */
  readonly cameBy?: string
  readonly secretHash?: string
  readonly roles?: Readonly<Record<string, readonly string[]>>
  readonly admin?: boolean
  /** The configuration file that asks for the user. */
  readonly provisionedBy?: string
  readonly metadata?: readonly { readonly key: string; readonly value: Uint8Array }[]
}

/** What may be changed in one step. A field that is left out stays. */
export interface UserEdit {
  readonly username?: string
  readonly profile?: Profile
  readonly roles?: Readonly<Record<string, readonly string[]>>
  readonly admin?: boolean
  readonly secretHash?: string
}

/** The same, where the next profile depends on the one until now. */
interface ProfileEdit extends Omit<UserEdit, 'profile'> {
  readonly profile: (current: Profile) => Profile
}

export type Users = ReturnType<typeof createUsers>

export function createUsers({ store, tokens, passwords, recorder, endSessions, becomesManager, onLeaving, forgiveFailures }: UsersDeps) {
  const about = (id: UserId) => ({ kind: 'user', id }) as const

  /** Moves a user to `state` unless they are in it, and ends what they hold when they may no longer act. */
  async function moveTo(
    id: UserId,
    state: User['state'],
    type: 'user.deactivated' | 'user.reactivated' | 'user.locked' | 'user.unlocked',
    actor: Actor,
  ) {
    const user = await store.update(id, (current) => {
      if (current.state === state) return undefined
      // Whoever is let in again stays.
      const stays = state === 'active' && current.deletionAt !== undefined
      return step(current, { state, ...(stays && { deletionAt: undefined }) }, (sequence) => [
        recorder.event(type, actor, about(id), {}, sequence),
        ...(stays ? [recorder.event('user.deletion_cancelled', actor, about(id), {}, sequence + 1)] : []),
      ])
    })
    if (!isActive(user)) await endSessions(id)
    return user
  }

  /** `current` with `changes`, its sequence moved on by the events that `eventsFrom` makes (it gets the first free number). */
  function step(current: User, changes: Partial<User>, eventsFrom: (sequence: number) => readonly AuditEvent[]): UserChange {
    const events = eventsFrom(current.sequence + 1)
    return { user: { ...current, ...changes, sequence: current.sequence + events.length, changedAt: recorder.now() }, events }
  }

  /** A user name wins over an e-mail address at a sign-in, so nobody may take the proven address of somebody else for one; whoever has it already keeps it. @throws UsernameTaken */
  async function assertNobodysAddress(username: string, own?: UserId): Promise<void> {
    if (!username.includes('@')) return
    const [owners, current] = await Promise.all([store.findByVerifiedEmail(username), own && store.find(own)])
    if (current && comparable(current.username) === comparable(username)) return
    if (owners.some(({ id }) => id !== own)) throw new UsernameTaken(username)
  }

  const appsOf = ({ identities = [] }: User) => [...new Set(identities.map(({ app }) => app))]

  function leaving({ id, identities = [] }: User, app: string, actor: Actor, sequence: number): AuditEvent {
    const providers = identities.filter((each) => each.app === app).map(({ provider }) => provider)
    return recorder.event('user.left_app', actor, about(id), { app, providers: [...new Set(providers)] }, sequence)
  }

  /** Removes a user, out of every app first; unless `assertStill` throws of the user as they are at that moment. */
  async function remove(user: User, actor: Actor, assertStill: (current: User) => void = () => undefined): Promise<void> {
    assertStill(user)
    for (const app of appsOf(user)) await onLeaving(user, app)
    await store.remove(user.id, (current) => {
      assertStill(current)
      const left = appsOf(current).map((app, index) => leaving(current, app, actor, current.sequence + 1 + index))
      return [...left, recorder.event('user.removed', actor, about(user.id), {}, current.sequence + left.length + 1)]
    })
    await endSessions(user.id)
  }

  /** Writes a change of what somebody may do. Whoever comes to manage signs in anew: what they let applications do until then, they let them do as nobody. */
  async function writeRights(id: UserId, decide: (current: User) => UserChange | undefined): Promise<User> {
    let before: User | undefined
    const after = await store.update(id, (current) => {
      before = current
      return decide(current)
    })
    const isOther = before !== undefined && (before.admin !== after.admin || before.roles !== after.roles)
    if (isOther && (await becomesManager(before as User, after))) await endSessions(id)
    return after
  }

  async function replacePassword(id: UserId, password: Pick<User, 'passwordHash' | 'passwordImport'>, actor: Actor): Promise<User> {
    const user = await store.update(id, (current) =>
      step(current, password, (sequence) => [recorder.event('user.password_changed', actor, about(id), {}, sequence)]),
    )
    await endSessions(id)
    return user
  }

  async function addKey(id: UserId, publicJwk: MachineKey['publicJwk'], expiresAt: Date | undefined, actor: Actor): Promise<MachineKey> {
    const at = recorder.now()
    const expires = expiresAt && { expiresAt: expiresAt.toISOString() }
    const key: MachineKey = { id: newObjectId(at), publicJwk, createdAt: at.toISOString(), ...expires }
    await store.update(id, (current) => {
      const { machineKeys = [] } = current
      assertMachine(current, 'keys')
      if (machineKeys.length >= machineKeyLimit)
        throw new UserInvalid('machineKeys', `has ${machineKeyLimit} keys, which is the most: remove one`)
      return step(current, { machineKeys: [...machineKeys, key] }, (sequence) => [
        recorder.event('user.key_added', actor, about(id), { keyId: key.id, ...expires }, sequence),
      ])
    })
    return key
  }

  async function replaceSecret(id: UserId, secretHash: string | undefined, actor: Actor): Promise<User> {
    return store.update(id, (current) => {
      assertMachine(current, 'a client secret')
      return step(current, { secretHash }, (sequence) => [
        recorder.event('user.changed', actor, about(id), { fields: ['secretHash'] }, sequence),
      ])
    })
  }

  return {
    find: (id: UserId) => store.find(id),
    findByIdentity: (identity: IdentityKey) => store.findByIdentity(identity),
    listByApp: store.listByApp.bind(store),
    findWithMetadata: (id: UserId) => store.findWithMetadata(id),
    findWithMetadataText: (id: UserId) => store.findWithMetadataText(id),

    /** @throws UserNotFound */
    async get(id: UserId): Promise<User> {
      const user = await store.find(id)
      if (!user) throw new UserNotFound(id)
      return user
    },

    /** Whom somebody means who types `name` to sign in: a username, or a proven e-mail address that only one user has. */
    async findByLoginName(name: string): Promise<User | undefined> {
      const byName = await store.findByUsername(name)
      if (byName) return byName
      const byEmail = name.includes('@') ? await store.findByVerifiedEmail(name) : []
      return byEmail.length === 1 ? byEmail[0] : undefined
    },

    findByUsername: (username: string) => store.findByUsername(username),
    /** Everybody who has proved an address. */
    findByVerifiedEmail: (email: string) => store.findByVerifiedEmail(email),
    list: store.list.bind(store),
    search: store.search.bind(store),
    isEmpty: () => store.isEmpty(),

    /** Creates a user with metadata in one transaction. @throws UsernameTaken, UserIdTaken, UserInvalid */
    async create(wanted: NewUser, actor: Actor): Promise<User> {
      assertAcceptableUsername(wanted.username)
      assertAcceptableProfile(wanted.profile)
      // The operator's file is their own word.
      if (wanted.provisionedBy === undefined) await assertNobodysAddress(wanted.username)
      if (wanted.id !== undefined && !isObjectId(wanted.id)) throw new UserInvalid('id', 'must be 24 hexadecimal characters in lower case')
      if (wanted.passwordHash !== undefined) passwordScheme(wanted.passwordHash)
      const passwordHash =
        wanted.passwordHash ?? wanted.hashedPassword ?? (wanted.password === undefined ? undefined : await passwords.hash(wanted.password))
      const at = recorder.now()
      const id = (wanted.id ?? newObjectId(at)) as UserId
      const events: AuditEvent[] = [recorder.event('user.created', actor, about(id), { username: wanted.username, kind: wanted.kind }, 1)]
      for (const { app, provider } of wanted.identities ?? []) {
        events.push(recorder.event('user.identity_added', actor, about(id), { app, provider }, events.length + 1))
      }
      const metadata = (wanted.metadata ?? []).map(({ key, value }): MetadataEntry => {
        const sequence = events.length + 1
        events.push(recorder.event('metadata.set', actor, about(id), { key, bytes: value.byteLength }, sequence))
        return { key, value, sequence, createdAt: at, changedAt: at }
      })
      const user: User = {
        id,
        kind: wanted.kind,
        username: wanted.username,
        state: 'active',
        profile: wanted.profile,
        passwordHash,
        passwordImport: wanted.passwordHash === undefined ? undefined : hashSecret(wanted.passwordHash),
        secretHash: wanted.secretHash,
        roles: wanted.roles ?? {},
        admin: wanted.admin ?? false,
        ...(wanted.identities && { identities: wanted.identities }),
        ...(wanted.cameBy !== undefined && { cameBy: wanted.cameBy }),
        provisionedBy: wanted.provisionedBy,
        sequence: events.length,
        createdAt: at,
        changedAt: at,
      }
      await store.insert(user, metadata, events)
      return user
    },

    /**
     * Changes what `edit` names, and what it makes of the profile as it is at that moment; that is pure and may be asked again. What is the same already makes no
     * event.
     * @throws UserNotFound, UsernameTaken, UserInvalid
     */
    async edit(id: UserId, { profile, ...fields }: UserEdit | ProfileEdit, actor: Actor): Promise<User> {
      if (fields.username !== undefined) {
        assertAcceptableUsername(fields.username)
        await assertNobodysAddress(fields.username, id)
      }
      return writeRights(id, (current) => {
        const edit: UserEdit = { ...fields, profile: typeof profile === 'function' ? profile(current.profile) : profile }
        if (edit.profile) assertAcceptableProfile(edit.profile, current.profile)
        const changed = (Object.keys(edit) as (keyof UserEdit)[]).filter(
          (field) => edit[field] !== undefined && JSON.stringify(sorted(edit[field])) !== JSON.stringify(sorted(current[field])),
        )
        if (changed.length === 0) return undefined
        const next = Object.fromEntries(changed.map((field) => [field, edit[field]])) as Partial<User>
        return step(current, next, (sequence) => [recorder.event('user.changed', actor, about(id), { fields: changed }, sequence)])
      })
    },

    /**
     * Makes what a user was granted what `decide` makes of the user as they are at that moment; it is pure and may be asked again, and `undefined` changes nothing.
     * @throws UserNotFound, and what `decide` throws
     */
    regrant: (
      id: UserId,
      decide: (current: User) => Partial<Pick<User, 'roles' | 'inactiveGrants'>> | undefined,
      actor: Actor,
    ): Promise<User> =>
      writeRights(id, (current) => {
        const next = decide(current)
        if (!next) return undefined
        const fields = Object.keys(next)
        return step(current, next, (sequence) => [recorder.event('user.changed', actor, about(id), { fields }, sequence)])
      }),

    /** Sets a password and ends every session: whoever knew the old one is out. @throws UserNotFound, UserInvalid, Busy */
    async setPassword(id: UserId, password: string, actor: Actor): Promise<User> {
      return replacePassword(id, { passwordHash: await passwords.hash(password), passwordImport: undefined }, actor)
    },

    /** Like `setPassword`, with a hash that `Passwords.hash` made. @throws UserNotFound */
    setPasswordHash: (id: UserId, passwordHash: string, actor: Actor): Promise<User> =>
      replacePassword(id, { passwordHash, passwordImport: undefined }, actor),

    /** Like `setPassword`, with a hash that another system made. @throws UserNotFound, UserInvalid when it is no hash that can be verified */
    async importPassword(id: UserId, passwordHash: string, actor: Actor): Promise<User> {
      passwordScheme(passwordHash)
      return replacePassword(id, { passwordHash, passwordImport: hashSecret(passwordHash) }, actor)
    },

    /** Replaces an imported hash by one of ours, unless the password was changed meanwhile. */
    async rehashPassword(user: User, password: string): Promise<void> {
      const before = user.passwordHash
      if (before === undefined || !passwords.isOutdated(before)) return
      const passwordHash = await passwords.hash(password).catch(() => undefined)
      if (passwordHash === undefined) return
      await store.update(user.id, (current) =>
        current.passwordHash === before
          ? step(current, { passwordHash }, (sequence) => [
              recorder.event('user.password_rehashed', { kind: 'system' }, about(user.id), { from: passwordScheme(before) }, sequence),
            ])
          : undefined,
      )
    },

    /** Adds an identity, with a password for whoever has none, and what of the profile is not known yet. @throws UserNotFound, IdentityTaken */
    addIdentity: (
      id: UserId,
      identity: Identity,
      actor: Actor,
      { hashedPassword, profile = {} }: { readonly hashedPassword?: string | undefined; readonly profile?: Profile } = {},
    ): Promise<User> =>
      store.update(id, (current) => {
        const isPasswordNew = hashedPassword !== undefined && current.passwordHash === undefined
        const changes = {
          identities: [...(current.identities ?? []), identity],
          ...(isPasswordNew && { passwordHash: hashedPassword }),
          ...(current.profile.email === undefined && profile.email !== undefined && { profile: { ...profile, ...current.profile } }),
        }
        const { app, provider } = identity
        return step(current, changes, (sequence) => [
          recorder.event('user.identity_added', actor, about(id), { app, provider }, sequence),
          ...(isPasswordNew ? [recorder.event('user.password_changed', actor, about(id), {}, sequence + 1)] : []),
        ])
      }),

    /** Notes that somebody has logged in by an identity, and what its provider says of them now. That changes nothing of theirs. @throws UserNotFound */
    useIdentity: (id: UserId, { app, provider, key }: IdentityKey, { data, usedAt }: Pick<Identity, 'data' | 'usedAt'>): Promise<User> =>
      store.update(id, (current) => {
        const identities = (current.identities ?? []).map((each) =>
          each.app === app && each.provider === provider && each.key === key ? { ...each, data, usedAt } : each,
        )
        return { user: { ...current, identities }, events: [] }
      }),

    /** Switches an identity off, or on again. @throws UserNotFound */
    setIdentityDisabled: (
      id: UserId,
      identity: Pick<Identity, 'app' | 'provider' | 'id'>,
      disabled: boolean,
      actor: Actor,
    ): Promise<User> =>
      store.update(id, (current) =>
        step(
          current,
          { identities: (current.identities ?? []).map((each) => (isSame(each, identity) ? { ...each, disabled } : each)) },
          (sequence) => [recorder.event('user.changed', actor, about(id), { fields: ['identities'] }, sequence)],
        ),
      ),

    /** Removes one identity; answers whether there was such a one. @throws UserNotFound */
    async removeIdentity(id: UserId, identity: Pick<Identity, 'app' | 'provider' | 'id'>, actor: Actor): Promise<boolean> {
      let removed = false
      await store.update(id, (current) => {
        const rest = (current.identities ?? []).filter((each) => !isSame(each, identity))
        removed = rest.length !== (current.identities?.length ?? 0)
        if (!removed) return undefined
        const { app, provider } = identity
        return step(current, { identities: rest }, (sequence) => [
          recorder.event('user.identity_removed', actor, about(id), { app, provider }, sequence),
        ])
      })
      return removed
    },

    /** Takes every identity of an app from a user, who is gone as a whole when they came by it and have no other. @throws UserNotFound */
    async leaveApp(id: UserId, app: string, actor: Actor): Promise<void> {
      const user = await store.find(id)
      if (!user) throw new UserNotFound(id)
      const left = (identities: readonly Identity[] = []) => identities.filter((each) => each.app !== app)
      if (user.cameBy === app && left(user.identities).length === 0) return remove(user, actor)
      await onLeaving(user, app)
      await store.update(id, (current) =>
        step(current, { identities: left(current.identities) }, (sequence) => [leaving(current, app, actor, sequence)]),
      )
    },

    deactivate: (id: UserId, actor: Actor) => moveTo(id, 'inactive', 'user.deactivated', actor),
    reactivate: (id: UserId, actor: Actor) => moveTo(id, 'active', 'user.reactivated', actor),
    lock: (id: UserId, actor: Actor) => moveTo(id, 'locked', 'user.locked', actor),

    /** Lets a user in again, at once: failures to sign in as them are forgotten too, also of a user who was not locked. @throws UserNotFound */
    async unlock(id: UserId, actor: Actor): Promise<User> {
      const user = await moveTo(id, 'active', 'user.unlocked', actor)
      await Promise.all(loginNamesOf(user).map(forgiveFailures))
      return user
    },

    /** Removes a user with metadata, tokens and sessions; the trail keeps what happened. @throws UserNotFound, and what `assertStill` throws of the user as they are */
    async remove(id: UserId, actor: Actor, assertStill?: (current: User) => void): Promise<void> {
      const user = await store.find(id)
      if (!user) throw new UserNotFound(id)
      await remove(user, actor, assertStill)
    },

    /** Shuts somebody out who wants to go at `at`, and ends what they hold; `assertMay` throws of whoever has to stay. @throws UserNotFound */
    async leave(id: UserId, at: Date, actor: Actor, assertMay: (current: User) => void): Promise<User> {
      const deletionAt = at.toISOString()
      const user = await store.update(id, (current) => {
        assertMay(current)
        return step(current, { state: 'inactive', deletionAt }, (sequence) => [
          recorder.event('user.deletion_requested', actor, about(id), { deletionAt }, sequence),
        ])
      })
      await endSessions(id)
      return user
    },

    /** Lets somebody in again who wanted to go, if that is still so. @throws UserNotFound */
    stay: (id: UserId, actor: Actor): Promise<User> =>
      store.update(id, (current) =>
        isLeaving(current)
          ? step(current, { state: 'active', deletionAt: undefined }, (sequence) => [
              recorder.event('user.deletion_cancelled', actor, about(id), {}, sequence),
            ])
          : undefined,
      ),

    /** A new personal access token; its text is told this once. @throws UserNotFound */
    async createToken(
      id: UserId,
      { name, expiresAt }: { name: string; expiresAt?: Date },
      actor: Actor,
    ): Promise<{ id: string; token: string }> {
      if (!(await store.find(id))) throw new UserNotFound(id)
      const at = recorder.now()
      const token = `pat_${newSecret()}`
      const tokenId = newObjectId(at)
      const event = recorder.event('user.token_created', actor, about(id), { tokenId, name, expiresAt: expiresAt?.toISOString() })
      await tokens.insert({ id: tokenId, userId: id, name, hash: hashSecret(token), createdAt: at, expiresAt }, [event])
      return { id: tokenId, token }
    },

    /** A new key of a machine user, with the private half that is told this once. @throws UserNotFound, UserInvalid */
    async createKey(id: UserId, { expiresAt }: { expiresAt?: Date }, actor: Actor): Promise<KeyFile> {
      const { publicJwk, privatePem } = await newMachineKeyPair()
      const key = await addKey(id, publicJwk, expiresAt, actor)
      return {
        type: 'serviceaccount',
        keyId: key.id,
        key: privatePem,
        userId: id,
        ...(key.expiresAt && { expirationDate: key.expiresAt }),
      }
    },

    /** A key of a machine user whose private half they have kept; `publicKey` is PEM. @throws UserNotFound, UserInvalid */
    addPublicKey: (id: UserId, publicKey: string, { expiresAt }: { expiresAt?: Date }, actor: Actor): Promise<MachineKey> =>
      addKey(id, publicJwkOf(publicKey), expiresAt, actor),

    /** A new client secret of a machine user, which is told this once; the client id is the username. @throws UserNotFound, UserInvalid */
    async createSecret(id: UserId, actor: Actor): Promise<{ readonly secret: string; readonly user: User }> {
      const secret = newSecret()
      const user = await replaceSecret(id, hashSecret(secret), actor)
      return { secret, user }
    },

    /** @throws UserNotFound, UserInvalid */
    removeSecret: (id: UserId, actor: Actor): Promise<User> => replaceSecret(id, undefined, actor),

    /** Whether there was such a key. @throws UserNotFound */
    async removeKey(id: UserId, keyId: string, actor: Actor): Promise<boolean> {
      let removed = false
      await store.update(id, (current) => {
        const rest = (current.machineKeys ?? []).filter((each) => each.id !== keyId)
        removed = rest.length !== (current.machineKeys?.length ?? 0)
        if (!removed) return undefined
        return step(current, { machineKeys: rest }, (sequence) => [
          recorder.event('user.key_removed', actor, about(id), { keyId }, sequence),
        ])
      })
      return removed
    },

    listTokens: (id: UserId) => tokens.list(id),

    /** Whether there was such a token. */
    revokeToken: (id: UserId, tokenId: string, actor: Actor) =>
      tokens.remove(id, tokenId, [recorder.event('user.token_revoked', actor, about(id), { tokenId })]),

    /** The active user of a personal access token that has not expired. */
    async findByToken(token: string): Promise<User | undefined> {
      if (!token.startsWith('pat_')) return undefined
      const found = await tokens.findByHash(hashSecret(token))
      if (!found || (found.expiresAt && found.expiresAt <= recorder.now())) return undefined
      const user = await store.find(found.userId)
      return user && isActive(user) ? user : undefined
    },
  }
}

const isSame = (identity: Identity, { app, provider, id }: Pick<Identity, 'app' | 'provider' | 'id'>) =>
  identity.app === app && identity.provider === provider && identity.id === id

function assertMachine({ kind }: User, what: string): void {
  if (kind !== 'machine') throw new UserInvalid('kind', `is human: only a service account has ${what}`)
}

/** What `findByLoginName` may find the user by. */
const loginNamesOf = ({ username, profile: { email, emailVerified } }: User) => (email && emailVerified ? [username, email] : [username])

/** @throws UserInvalid */
export function assertAcceptableUsername(username: string): void {
  const length = [...username].length
  if (length < 1 || length > 200) throw new UserInvalid('username', 'must have 1 to 200 characters')
  if (/[\p{Cc}\p{Cs}]/u.test(username) || username.trim() !== username)
    throw new UserInvalid('username', 'must not have control characters or blanks around it')
  if (comparable(username) === '') throw new UserInvalid('username', 'is empty')
}

/** The same value with the members of objects in order, so that two of them can be compared as text. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  )
}
