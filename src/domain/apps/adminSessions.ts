/** Sessions of the admin API: an administrator logs in with a personal access token, and gets tokens of the kind that App Services' tools expect. */
import type { Clock } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import type { User, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import { AppRefused, invalidSession } from './failures.ts'

export interface AdminSessionsDeps {
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'remove'>
  readonly users: Pick<Users, 'find' | 'findByToken'>
  /** Whether somebody may administrate everything. */
  readonly isAdministrator: (user: User) => boolean
  readonly hash: (secret: string) => string
  readonly now: Clock
}

interface Payload {
  readonly userId: string
  readonly kind: 'access' | 'refresh'
}

export type AdminSessions = ReturnType<typeof createAdminSessions>

const model = 'AdminSession'
const seconds = { access: 30 * 60, refresh: 60 * 24 * 3600 } as const

export function createAdminSessions({ artifacts, users, isAdministrator, hash, now }: AdminSessionsDeps) {
  async function issue(userId: string, kind: Payload['kind']): Promise<string> {
    const token = newSecret()
    const expiresAt = new Date(now().getTime() + seconds[kind] * 1000)
    await artifacts.put({ model, id: hash(token), payload: { userId, kind }, accountId: userId, expiresAt })
    return token
  }

  async function userOf(token: string, kind: Payload['kind']): Promise<User> {
    const found = (await artifacts.find(model, hash(token)))?.payload as Payload | undefined
    const user = found?.kind === kind ? await users.find(found.userId as UserId) : undefined
    if (user?.state !== 'active' || !isAdministrator(user)) throw invalidSession()
    return user
  }

  return {
    /** @throws AppRefused */
    async start(apiKey: unknown): Promise<{ readonly user: User; readonly accessToken: string; readonly refreshToken: string }> {
      const user = typeof apiKey === 'string' ? await users.findByToken(apiKey) : undefined
      if (!user || !isAdministrator(user))
        throw new AppRefused(401, 'AuthError', 'the API key must be a personal access token of an administrator')
      return { user, accessToken: await issue(user.id, 'access'), refreshToken: await issue(user.id, 'refresh') }
    },

    /** The administrator of an access token. @throws AppRefused */
    byAccessToken: (token: string): Promise<User> => userOf(token, 'access'),

    /** A fresh access token. @throws AppRefused */
    refresh: async (token: string): Promise<string> => issue((await userOf(token, 'refresh')).id, 'access'),

    /** @throws AppRefused */
    async end(token: string): Promise<void> {
      await userOf(token, 'refresh')
      await artifacts.remove(model, hash(token))
    },
  }
}
