import type { CustomDataOf } from '../userdata/customData.ts'
import type { User, UserId } from '../users/user.ts'
import type { Apps } from './apps.ts'
import type { AppSessions } from './sessions.ts'

/** What an App Services app has of a person. */
export interface KnownByApp {
  readonly app: { readonly id: string; readonly clientAppId: string; readonly name: string }
  /** The document of custom user data, as plain JSON. */
  readonly document?: unknown
  readonly sessions: readonly AppDevice[]
}

/** A device that a person is logged in to an app with. */
export interface AppDevice {
  readonly id: string
  readonly provider: string
  /** What the device says of itself. */
  readonly device: string
  readonly startedAt: Date
  readonly expiresAt: Date
}

export interface KnownByAppsDeps {
  readonly apps: Pick<Apps, 'list'>
  readonly sessions: Pick<AppSessions, 'list' | 'end'>
  readonly customDataOf: CustomDataOf
  readonly plain: (value: unknown) => unknown
  readonly now: () => Date
}

export type KnownByApps = ReturnType<typeof createKnownByApps>

/** What apps have of a person: for those pages where people see everything. */
export function createKnownByApps({ apps, sessions, customDataOf, plain, now }: KnownByAppsDeps) {
  async function devicesOf(userId: UserId, appId: string): Promise<readonly AppDevice[]> {
    const found = (await sessions.list(userId, appId)).filter(({ expiresAt }) => expiresAt * 1000 > now().getTime())
    return found.map(({ id, identity, device: { platform, platformVersion, appVersion }, startedAt, expiresAt }) => ({
      id,
      provider: identity.provider,
      device: [platform, platformVersion, appVersion].filter(Boolean).join(' '),
      startedAt: new Date(startedAt * 1000),
      expiresAt: new Date(expiresAt * 1000),
    }))
  }

  return {
    /** Of each app that they use, or that has a document about them. */
    async list(user: User): Promise<readonly KnownByApp[]> {
      const all = await Promise.all(
        (await apps.list()).map(async (view) => {
          const { id, clientAppId, name } = view.app
          const [{ document }, devices] = await Promise.all([customDataOf(view, user.id), devicesOf(user.id, id)])
          const isKnown = document !== undefined || devices.length > 0 || user.identities?.some(({ app }) => app === id)
          return isKnown ? { app: { id, clientAppId, name }, ...(document && { document: plain(document) }), sessions: devices } : undefined
        }),
      )
      return all.filter((each) => each !== undefined)
    },

    /** Logs a device out; `false` when there is no such session of that user. */
    async end(userId: UserId, appId: string, sessionId: string): Promise<boolean> {
      const found = (await sessions.list(userId, appId)).find(({ id }) => id === sessionId)
      if (found) await sessions.end(found)
      return found !== undefined
    },
  }
}
