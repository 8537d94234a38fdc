/**
 * Sessions of our own pages. A browser holds an access token of its login, sealed in a cookie that scripts cannot read; whatever ends the token ends the session with it: a sign-out, a
 * deactivation, another password, a session that is ended elsewhere. Nothing is written for one.
 */
import type { Context } from 'koa'
import type { Clock } from '#src/base/clock.ts'
import { randomText } from '#src/base/ids.ts'
import { clientIdOf, type PageArea } from '#src/domain/applications/builtIn.ts'
import type { VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { User } from '#src/domain/users/user.ts'
import { awaitedCookie, type Sealing, sealedCookie } from './sealedCookie.ts'

/** A browser that is signed in to an area. */
export interface PageSession {
  /** Random; forms are bound to it. */
  readonly id: string
  readonly user: User
  readonly accessToken: string
  /** Of the browser, at all applications together. */
  readonly signInId?: string
  /** When the person last proved who they are. */
  readonly provedAt: Date
  /** The languages that they came with, if they said so. */
  readonly uiLocales?: string
}

/** What the cookie holds. Times are milliseconds. */
interface Kept {
  readonly id: string
  readonly userId: string
  readonly token: string
  readonly provedAt: number
  readonly begunAt: number
  readonly seenAt: number
  readonly uiLocales?: string
}

/** What a login in progress has to bring back, and where it leads. */
interface Pending {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly returnTo: string
  readonly uiLocales?: string
}

export interface PageSessionsDeps extends Sealing {
  readonly area: PageArea
  readonly verifyBearer: VerifyBearer
  readonly ownProjectId: () => string
  /** A browser that is not used for so long is signed out. */
  readonly idleSeconds: number
  /** So long lasts a session at most. */
  readonly longestSeconds: number
  readonly now: Clock
}

const pendingSeconds = 1800
const mostPending = 4
/** The cookie is renewed no more often. */
const renewedEveryMs = 30_000

export type PageSessions = ReturnType<typeof createPageSessions>

export function createPageSessions({ area, verifyBearer, ownProjectId, idleSeconds, longestSeconds, now, ...sealing }: PageSessionsDeps) {
  const cookie = sealedCookie<Kept>(`dossier-${area}`, sealing)
  const logins = awaitedCookie<Pending>(`dossier-${area}-login`, { ...sealing, seconds: pendingSeconds, most: mostPending, now })

  return {
    /** The session of this browser, `undefined` when it has none that holds. */
    async find(ctx: Context): Promise<PageSession | undefined> {
      const kept = cookie.read(ctx)
      const at = now().getTime()
      if (!kept || kept.seenAt + idleSeconds * 1000 <= at || kept.begunAt + longestSeconds * 1000 <= at) return undefined
      const { method, path, headers } = ctx
      const bearer = await verifyBearer(kept.token, { scheme: 'bearer', method, path, headers })
      if (!bearer?.user || bearer.clientId !== clientIdOf(area) || bearer.actorId !== undefined) return undefined
      if (!bearer.audience.has(ownProjectId())) return undefined
      if (at - kept.seenAt > renewedEveryMs) cookie.write(ctx, { ...kept, seenAt: at })
      const { id, token, uiLocales } = kept
      const { user, sessionId } = bearer
      const known = { id, user, accessToken: token, provedAt: new Date(kept.provedAt) }
      return { ...known, ...(sessionId !== undefined && { signInId: sessionId }), ...(uiLocales !== undefined && { uiLocales }) }
    },

    /** Of somebody who proves anew who they are, the forms in other tabs stay good. */
    begin(
      ctx: Context,
      {
        userId,
        accessToken,
        provedAt,
        uiLocales,
      }: Pick<PageSession, 'accessToken' | 'provedAt' | 'uiLocales'> & { readonly userId: string },
    ): void {
      const at = now().getTime()
      const before = cookie.read(ctx)
      cookie.write(ctx, {
        id: before?.userId === userId ? before.id : randomText(16),
        userId,
        token: accessToken,
        provedAt: provedAt.getTime(),
        begunAt: at,
        seenAt: at,
        ...(uiLocales && { uiLocales }),
      })
    },

    end: (ctx: Context): void => cookie.write(ctx, undefined),

    /** Remembers a login that begins. */
    await: logins.put,
    /** The login that an answer with this `state` belongs to, once. */
    take: logins.take,
  }
}
