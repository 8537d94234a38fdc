/**
 * Sessions of sign-in pages of somebody else (ZITADEL's session service): who somebody says they are, and what they have proved. Whoever has the id and the token of one may
 * complete an authorization request with it. Only the SHA-256 of the token is kept, and it is another one after every change.
 */
import type { Clock } from '#src/base/clock.ts'
import { DomainError } from '#src/base/errors.ts'
import { newObjectId, newSecret } from '#src/base/ids.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { ArtifactStore } from './store.ts'

export interface LoginSession {
  readonly id: string
  /** Who has made it: the account of the page. */
  readonly creatorId: string
  readonly createdAt: Date
  readonly changedAt: Date
  readonly sequence: number
  readonly expiresAt: Date
  readonly userId?: string
  /** When it was said who they are, and when the password was right. */
  readonly userAt?: Date
  readonly passwordAt?: Date
  readonly metadata: Readonly<Record<string, Uint8Array>>
  readonly userAgent?: LoginUserAgent
}

/** What the page tells of the browser. */
interface LoginUserAgent {
  readonly fingerprintId?: string
  readonly ip?: string
  readonly description?: string
  readonly header: Readonly<Record<string, readonly string[]>>
}

/** What may change in one step; `metadata` is added to what is there, and an empty value takes its key away. */
export interface LoginSessionChange {
  readonly userId?: string
  readonly isPasswordRight?: boolean
  readonly metadata?: Readonly<Record<string, Uint8Array>>
  readonly userAgent?: LoginUserAgent
  readonly lifetimeSeconds?: number
}

export class LoginSessionNotFound extends DomainError {
  readonly code = 'login_session.not_found'
  constructor() {
    super('there is no such session')
  }
}

export class LoginSessionTokenInvalid extends DomainError {
  readonly code = 'login_session.token_invalid'
  constructor() {
    super('the token is not that of the session')
  }
}

export interface LoginSessionsDeps {
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'remove' | 'list'>
  readonly hash: (secret: string) => string
  readonly now: Clock
}

export type LoginSessions = ReturnType<typeof createLoginSessions>

const model = 'LoginSession'
/** Unless the page says otherwise. */
const usualLifetimeSeconds = 24 * 3600
export const longestLifetimeSeconds = 30 * 86_400
const pageOfArtifacts = 200

/** As stored: moments in milliseconds, bytes as base64. */
interface Stored extends Omit<LoginSession, 'createdAt' | 'changedAt' | 'expiresAt' | 'userAt' | 'passwordAt' | 'metadata'> {
  readonly tokenHash: string
  readonly createdAt: number
  readonly changedAt: number
  readonly expiresAt: number
  readonly userAt?: number
  readonly passwordAt?: number
  readonly metadata: Readonly<Record<string, string>>
}

export function createLoginSessions({ artifacts, hash, now }: LoginSessionsDeps) {
  async function stored(id: string): Promise<Stored> {
    const artifact = await artifacts.find(model, id)
    const found = artifact && payloadOf<Stored>(artifact)
    if (!found || found.expiresAt <= now().getTime()) throw new LoginSessionNotFound()
    return found
  }

  async function write(before: Omit<Stored, 'tokenHash'>, change: LoginSessionChange): Promise<{ session: LoginSession; token: string }> {
    const at = now().getTime()
    const token = newSecret()
    const isOther = change.userId !== undefined && change.userId !== before.userId
    const metadata = { ...before.metadata, ...textsOf(change.metadata ?? {}) }
    const next: Stored = {
      ...before,
      ...(change.userId !== undefined && { userId: change.userId, userAt: at }),
      ...(change.userAgent && { userAgent: change.userAgent }),
      // What one person has proved says nothing of another.
      passwordAt: change.isPasswordRight ? at : isOther ? undefined : before.passwordAt,
      metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== '')),
      ...(change.lifetimeSeconds !== undefined && { expiresAt: at + change.lifetimeSeconds * 1000 }),
      changedAt: at,
      sequence: before.sequence + 1,
      tokenHash: hash(token),
    }
    await artifacts.put({
      model,
      id: next.id,
      payload: { ...next },
      expiresAt: new Date(next.expiresAt),
      // It ends with whatever else its user holds.
      ...(next.userId !== undefined && { accountId: next.userId }),
    })
    return { session: sessionOf(next), token }
  }

  return {
    /** A new session, with the token that is told now. */
    create(creatorId: string, change: LoginSessionChange): Promise<{ session: LoginSession; token: string }> {
      const at = now().getTime()
      const base = { id: newObjectId(now()), creatorId, createdAt: at, changedAt: at, sequence: 0, metadata: {} }
      return write({ ...base, expiresAt: at + usualLifetimeSeconds * 1000 }, change)
    },

    /** @throws LoginSessionNotFound */
    async find(id: string): Promise<LoginSession> {
      return sessionOf(await stored(id))
    },

    /** The session, for whoever has its token. @throws LoginSessionNotFound, LoginSessionTokenInvalid */
    async findByToken(id: string, token: string): Promise<LoginSession> {
      const found = await stored(id)
      if (found.tokenHash !== hash(token)) throw new LoginSessionTokenInvalid()
      return sessionOf(found)
    },

    /** Changes it and gives it another token. @throws LoginSessionNotFound */
    async change(id: string, change: LoginSessionChange): Promise<{ session: LoginSession; token: string }> {
      const { tokenHash: _, ...before } = await stored(id)
      return write(before, change)
    },

    /** @throws LoginSessionNotFound */
    async remove(id: string): Promise<LoginSession> {
      const session = sessionOf(await stored(id))
      await artifacts.remove(model, id)
      return session
    },

    /** All that have not expired, oldest first, a page at a time. */
    async *all(): AsyncGenerator<LoginSession> {
      for (let after: string | undefined; ; ) {
        const page = await artifacts.list(model, { after, limit: pageOfArtifacts })
        for (const each of page.map(payloadOf<Stored>)) {
          after = each.id
          if (each.expiresAt > now().getTime()) yield sessionOf(each)
        }
        if (page.length < pageOfArtifacts) return
      }
    },
  }
}

const textsOf = (metadata: Readonly<Record<string, Uint8Array>>) =>
  Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

function sessionOf({ tokenHash: _, metadata, createdAt, changedAt, expiresAt, userAt, passwordAt, ...rest }: Stored): LoginSession {
  return {
    ...rest,
    createdAt: new Date(createdAt),
    changedAt: new Date(changedAt),
    expiresAt: new Date(expiresAt),
    ...(userAt !== undefined && { userAt: new Date(userAt) }),
    ...(passwordAt !== undefined && { passwordAt: new Date(passwordAt) }),
    metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')])),
  }
}
