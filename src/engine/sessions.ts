import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import type { Endings } from '#src/domain/sessions/endings.ts'
import type { Session, Sessions } from '#src/domain/sessions/session.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import type { LogoutDeliveries, OnUndelivered } from './logoutDeliveries.ts'

export interface SessionsDeps {
  readonly artifacts: Pick<ArtifactStore, 'listByAccount' | 'findByUid' | 'remove' | 'removeByGrant'>
  readonly deliveries: LogoutDeliveries
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  readonly now: Clock
}

/** So often the servers look whether sessions have ended in another process. */
const lookEveryMs = 2000

/**
 * Tells the applications of sessions that ended with everything that their user held: somebody was deactivated or removed, or has another password, by whatever
 * process. `stop` it when the server goes.
 */
export function tellOfEndings({ endings, deliveries, now, onUndelivered }: TellingDeps): { stop(): void } {
  async function look(): Promise<void> {
    for (const { userId, sessions } of await endings.take()) {
      const live = (sessions as readonly unknown[] as readonly StoredSession[]).filter(({ exp }) => exp > epochSeconds(now()))
      const told = live.flatMap(({ authorizations = {} }) => Object.entries(authorizations))
      await Promise.all(told.map(([clientId, { sid }]) => deliveries.tell(clientId, userId, sid).catch(lost(clientId))))
    }
  }
  const lost = (clientId: string) => (error: Error) => onUndelivered({ clientId, reason: error.message, attempt: 1, givenUp: true })

  let isLooking = false
  const timer = setInterval(async () => {
    if (isLooking) return
    isLooking = true
    // While the store is away nothing is taken, and a later look finds it.
    await look().catch(() => undefined)
    isLooking = false
  }, lookEveryMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

interface TellingDeps {
  readonly endings: Pick<Endings, 'take'>
  readonly deliveries: Pick<LogoutDeliveries, 'tell'>
  readonly onUndelivered: OnUndelivered
  readonly now: Clock
}

/** What the engine keeps of a session. */
interface StoredSession {
  readonly jti: string
  readonly uid: string
  readonly exp: number
  readonly accountId?: string
  readonly loginTs?: number
  readonly amr?: readonly string[]
  /** Ours: the browser, as it calls itself. */
  readonly agent?: string
  readonly authorizations?: Readonly<
    Record<string, { readonly sid?: string; readonly grantId?: string; readonly persistsLogout?: boolean }>
  >
}

/** What is issued under a grant. */
export const issued = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode']

export function createSessions({ artifacts, deliveries, audit, recorder, now }: SessionsDeps): Sessions {
  const isOver = ({ exp }: StoredSession) => exp <= epochSeconds(now())

  return {
    async list(userId) {
      const found = await artifacts.listByAccount('Session', userId)
      const stored = found.map(payloadOf<StoredSession>).filter((each) => !isOver(each))
      return stored.map(sessionOf).sort((a, b) => b.signedInAt.getTime() - a.signedInAt.getTime())
    },

    async end(userId, sessionId, actor) {
      const found = await artifacts.findByUid('Session', sessionId)
      const session = found && payloadOf<StoredSession>(found)
      if (session?.accountId !== userId || isOver(session)) return false
      await artifacts.remove('Session', session.jti)
      const authorizations = Object.entries(session.authorizations ?? {})
      const grants = authorizations.flatMap(([, { grantId, persistsLogout }]) => (grantId && !persistsLogout ? [grantId] : []))
      await Promise.all(
        grants.flatMap((grantId) => [
          artifacts.remove('Grant', grantId),
          ...issued.map((model) => artifacts.removeByGrant(model, grantId)),
        ]),
      )
      await audit.record([recorder.event('user.session_ended', actor, { kind: 'user', id: userId }, { sessionId })])
      await Promise.all(authorizations.map(([clientId, { sid }]) => deliveries.tell(clientId, userId, sid)))
      return true
    },
  }
}

const sessionOf = ({ uid, exp, loginTs = 0, amr = [], agent, authorizations = {} }: StoredSession): Session => ({
  id: uid,
  signedInAt: new Date(loginTs * 1000),
  expiresAt: new Date(exp * 1000),
  amr,
  ...(agent !== undefined && { agent }),
  clientIds: Object.keys(authorizations),
})
