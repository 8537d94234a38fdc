import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { payloadOf } from '#src/base/payload.ts'
import { reservedClientIds } from '#src/domain/applications/builtIn.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import type { Access, Accesses } from '#src/domain/sessions/access.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import type { LogoutDeliveries } from './logoutDeliveries.ts'
import { issued } from './sessions.ts'

export interface AccessesDeps {
  readonly artifacts: Pick<ArtifactStore, 'listByAccount' | 'remove' | 'removeByGrant'>
  readonly deliveries: Pick<LogoutDeliveries, 'tell'>
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  readonly now: Clock
}

/** What the engine keeps of a grant: one a session and application. */
interface StoredGrant {
  readonly jti: string
  readonly clientId: string
  readonly exp?: number
  readonly openid?: { readonly scope?: string; readonly claims?: readonly string[] }
  readonly resources?: Readonly<Record<string, string>>
}

interface StoredSession {
  readonly exp: number
  readonly authorizations?: Readonly<Record<string, { readonly sid?: string }>>
}

export function createAccesses({ artifacts, deliveries, audit, recorder, now }: AccessesDeps): Accesses {
  async function grantsOf(userId: string): Promise<readonly StoredGrant[]> {
    const found = (await artifacts.listByAccount('Grant', userId)).map(payloadOf<StoredGrant>)
    return found.filter(({ clientId, exp }) => !reservedClientIds.includes(clientId) && (exp === undefined || exp > epochSeconds(now())))
  }

  return {
    async list(userId) {
      const byClient = Map.groupBy(await grantsOf(userId), ({ clientId }) => clientId)
      return [...byClient].map(accessOf).sort((a, b) => (a.clientId < b.clientId ? -1 : 1))
    },

    async revoke(userId, clientId, actor) {
      const grants = (await grantsOf(userId)).filter((grant) => grant.clientId === clientId)
      if (grants.length === 0) return false
      await Promise.all(
        grants.flatMap(({ jti }) => [artifacts.remove('Grant', jti), ...issued.map((model) => artifacts.removeByGrant(model, jti))]),
      )
      await audit.record([recorder.event('user.access_revoked', actor, { kind: 'user', id: userId }, { clientId })])
      const sessions = (await artifacts.listByAccount('Session', userId)).map(payloadOf<StoredSession>)
      const sids = sessions.flatMap(({ exp, authorizations = {} }) =>
        exp > epochSeconds(now()) && Object.hasOwn(authorizations, clientId) ? [authorizations[clientId]?.sid] : [],
      )
      await Promise.all(sids.map((sid) => deliveries.tell(clientId, userId, sid)))
      return true
    },
  }
}

function accessOf([clientId, grants]: readonly [string, readonly StoredGrant[]]): Access {
  const scopes = grants.flatMap(({ openid, resources = {} }) => [openid?.scope ?? '', ...Object.values(resources)].join(' ').split(' '))
  const claims = grants.flatMap(({ openid }) => openid?.claims ?? [])
  return { clientId, scopes: [...new Set(scopes)].filter(Boolean), claims: [...new Set(claims)] }
}
