import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import type { Session, Sessions } from '#src/domain/sessions/session.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import type { LogoutDeliveries } from './logoutDeliveries.ts'

export interface SessionsDeps {
  readonly artifacts: Pick<ArtifactStore, 'listByAccount' | 'findByUid' | 'remove' | 'removeByGrant'>
  readonly deliveries: LogoutDeliveries
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
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
  readonly authorizations?: Readonly<
    Record<string, { readonly sid?: string; readonly grantId?: string; readonly persistsLogout?: boolean }>
  >
}

/** What is issued under a grant. */
const issued = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode']

export function createSessions({ artifacts, deliveries, audit, recorder, now }: SessionsDeps): Sessions {
  const isOver = ({ exp }: StoredSession) => exp <= epochSeconds(now())

  return {
    async list(userId) {
      const found = await artifacts.listByAccount('Session', userId)
      const stored = found.map(({ payload }) => payload as unknown as StoredSession).filter((each) => !isOver(each))
      return stored.map(sessionOf).sort((a, b) => b.signedInAt.getTime() - a.signedInAt.getTime())
    },

    async end(userId, sessionId, actor) {
      const session = (await artifacts.findByUid('Session', sessionId))?.payload as unknown as StoredSession | undefined
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

const sessionOf = ({ uid, exp, loginTs = 0, amr = [], authorizations = {} }: StoredSession): Session => ({
  id: uid,
  signedInAt: new Date(loginTs * 1000),
  expiresAt: new Date(exp * 1000),
  amr,
  clientIds: Object.keys(authorizations),
})
