/**
 * Sessions of apps: what a refresh token stands for. An access token says which session it is of, so that both end together wherever Dossier looks at them.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { newObjectId } from '#src/base/ids.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import type { Identity } from '../users/identity.ts'
import type { User, UserId } from '../users/user.ts'
import type { App } from './app.ts'
import { invalidSession } from './failures.ts'

/** What a client tells of the device that it runs on (`options.device` of a login). */
export interface Device {
  readonly id: string
  readonly appId?: string
  readonly appVersion?: string
  readonly platform?: string
  readonly platformVersion?: string
  readonly sdkVersion?: string
}

export interface AppSession {
  /** 24 hexadecimal characters: `baas_id` of the refresh token, `iss` of the access token. */
  readonly id: string
  readonly appId: string
  readonly userId: UserId
  /** The identity that opened it. */
  readonly identity: { readonly id: string; readonly provider: string; readonly providerId: string }
  readonly device: Device
  /** Seconds since 1970. */
  readonly startedAt: number
  readonly expiresAt: number
}

export interface AppSessionsDeps {
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'remove' | 'listByAccount'>
  /** Keys of 32 bytes: the first signs refresh tokens, all verify them. */
  readonly refreshKeys: readonly Buffer[]
  /** A compact JWS over JSON, by a key that is published. */
  readonly sign: (payload: string) => string | Promise<string>
  /** The claims of a JWS that `sign` made; `undefined` for anything else. */
  readonly verify: (jwt: string) => Promise<Readonly<Record<string, unknown>> | undefined>
  readonly now: Clock
}

/** An access token that holds: signed by us, not expired, its session still there. */
export interface HeldAccess {
  readonly session: AppSession
  readonly claims: Readonly<Record<string, unknown>>
}

export type AppSessions = ReturnType<typeof createAppSessions>

const model = 'AppSession'
const accessSeconds = 30 * 60
const noDevice = '0'.repeat(24)
/** An anonymous login does not expire: fifty years. */
const anonymousSeconds = 1_576_800_000
/** Verified access tokens that are kept, so that a client that calls often is not verified each time. */
const mostKnown = 2000

export function createAppSessions({ artifacts, refreshKeys, sign, verify, now }: AppSessionsDeps) {
  const known = new Map<string, Readonly<Record<string, unknown>>>()

  const hmac = (key: Buffer, signed: string) => createHmac('sha256', key).update(signed).digest()
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const refreshHeader = encoded({ alg: 'HS256', typ: 'JWT' })

  async function claimsOf(token: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const before = known.get(token)
    if (before) return before
    const claims = await verify(token)
    if (claims?.typ !== 'access') return undefined
    if (known.size >= mostKnown) known.delete(known.keys().next().value as string)
    known.set(token, claims)
    return claims
  }

  async function find(id: unknown): Promise<AppSession | undefined> {
    const found = typeof id === 'string' ? await artifacts.find(model, id) : undefined
    const session = found && payloadOf<AppSession>(found)
    return session && session.expiresAt > epochSeconds(now()) ? session : undefined
  }

  return {
    /** Opens a session. */
    async start(app: App, user: User, identity: Identity, given: Partial<Device> | undefined): Promise<AppSession> {
      const at = now()
      const startedAt = epochSeconds(at)
      const seconds = identity.provider === 'anon-user' ? anonymousSeconds : app.refreshTokenSeconds
      const session: AppSession = {
        id: newObjectId(at),
        appId: app.id,
        userId: user.id,
        identity: { id: identity.id, provider: identity.provider, providerId: app.ids[`provider/${identity.provider}`] ?? noDevice },
        device: {
          ...given,
          id: /^[0-9a-f]{24}$/.test(given?.id ?? '') && given?.id !== noDevice ? (given?.id as string) : newObjectId(at),
        },
        startedAt,
        expiresAt: startedAt + seconds,
      }
      await artifacts.put({
        model,
        id: session.id,
        payload: session as unknown as Record<string, unknown>,
        accountId: user.id,
        expiresAt: new Date(session.expiresAt * 1000),
      })
      return session
    },

    /** The refresh token of a session: a JWT with a signature that only we can make and verify. It is not rotated. */
    refreshTokenOf(session: AppSession): string {
      const { id, appId, userId, identity, device, startedAt, expiresAt } = session
      const payload = {
        baas_data: null,
        baas_device_id: device.id,
        baas_domain_id: appId,
        baas_id: id,
        baas_identity: { id: identity.id, provider_type: identity.provider, provider_id: identity.providerId },
        exp: expiresAt,
        iat: startedAt,
        stitch_data: null,
        stitch_devId: device.id,
        stitch_domainId: appId,
        stitch_id: id,
        stitch_ident: { id: identity.id, provider_type: identity.provider, provider_id: identity.providerId },
        sub: userId,
        typ: 'refresh',
      }
      const signed = `${refreshHeader}.${encoded(payload)}`
      return `${signed}.${hmac(refreshKeys[0] as Buffer, signed).toString('base64url')}`
    },

    /** An access token of a session: half an hour, with the document of custom user data where there is one. */
    accessTokenOf(session: AppSession, userData: { readonly json?: string; readonly isOmitted?: boolean }): string | Promise<string> {
      const iat = epochSeconds(now())
      const { id, appId, userId, device } = session
      const payload = JSON.stringify({
        baas_device_id: device.id,
        baas_domain_id: appId,
        exp: iat + accessSeconds,
        iat,
        iss: id,
        jti: newObjectId(),
        stitch_devId: device.id,
        stitch_domainId: appId,
        sub: userId,
        typ: 'access',
        ...(userData.isOmitted && { user_data_omitted: true, user_data: {} }),
      })
      return sign(userData.json === undefined ? payload : `${payload.slice(0, -1)},"user_data":${userData.json}}`)
    },

    /** The session of a refresh token. @throws AppRefused when it was not made by us, is over or was revoked */
    async byRefreshToken(token: string): Promise<AppSession> {
      const [header, payload, signature] = token.split('.')
      const given = Buffer.from(signature ?? '', 'base64url')
      const isOurs = header === refreshHeader && refreshKeys.some((key) => matches(hmac(key, `${header}.${payload}`), given))
      if (!isOurs) throw invalidSession('invalid session: failed to find refresh token')
      const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as Readonly<Record<string, unknown>>
      const session = claims.typ === 'refresh' ? await find(claims.baas_id) : undefined
      if (!session) throw invalidSession('invalid session: failed to find refresh token')
      return session
    },

    /** What an access token stands for. @throws AppRefused when it was not made by us, is over, or its session is */
    async byAccessToken(token: string): Promise<HeldAccess> {
      const claims = await claimsOf(token)
      if (!claims) throw invalidSession('invalid session: unauthorized')
      if (Number(claims.exp) <= epochSeconds(now())) throw invalidSession('invalid session: access token expired')
      const session = await find(claims.iss)
      if (!session || session.userId !== claims.sub) throw invalidSession()
      return { session, claims }
    },

    end: (session: Pick<AppSession, 'id'>): Promise<void> => artifacts.remove(model, session.id),

    /** Sessions of a user in an app, oldest first. */
    async list(userId: UserId, appId: string): Promise<readonly AppSession[]> {
      const found = await artifacts.listByAccount(model, userId)
      return found.map(payloadOf<AppSession>).filter((session) => session.appId === appId)
    },

    /** Ends all sessions of a user in an app. */
    async endAll(userId: UserId, appId: string): Promise<void> {
      const sessions = await this.list(userId, appId)
      await Promise.all(sessions.map(({ id }) => artifacts.remove(model, id)))
    },
  }
}

const matches = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b)
