/**
 * The JWT bearer grant (RFC 7523, section 2.1): a machine user gets a token by a JWT that one of its keys signed, without being a client. ZITADEL's service
 * users log in so, with a key file.
 */
import { hash } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose'
import type { Context, Next } from 'koa'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { isObjectId } from '#src/base/ids.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import { isCurrent } from '#src/domain/users/machineKeys.ts'
import { isActive, type User, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { artifactOf } from './artifacts.ts'
import type { TokenEvents } from './events.ts'
import type { createMachineTokens } from './machineTokens.ts'
import { readForm } from './quick/form.ts'
import { plain } from './reasons.ts'

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** How long an assertion may hold, from when it was made. */
const longestSeconds = 3600
const toleranceSeconds = 15

export interface JwtBearerDeps {
  readonly issuer: string
  readonly artifacts: Pick<ArtifactStore, 'insert'>
  readonly users: Pick<Users, 'find'>
  readonly issue: ReturnType<typeof createMachineTokens>
  readonly tokens: TokenEvents
  readonly now: Clock
}

/** What is wrong with a request, in the words of RFC 6749, section 5.2. */
class Refused extends Error {
  readonly code: 'invalid_request' | 'invalid_grant'
  constructor(code: Refused['code'], sentence: string) {
    super(sentence)
    this.code = code
  }
}

export function createJwtBearer({ issuer, artifacts, users, issue, tokens, now }: JwtBearerDeps) {
  const audience = [issuer, `${issuer}/oauth/v2/token`]

  /** The user whom the assertion speaks for. What is wrong with it is told as far as whoever made it may know. */
  async function userOf(assertion: string): Promise<User> {
    const { iss, sub, kid } = readAssertion(assertion)
    if (iss === undefined || sub !== iss) throw new Refused('invalid_grant', 'assertion: iss and sub must both be the id of the user')
    const user = isObjectId(iss) ? await users.find(iss as UserId) : undefined
    const key = user?.machineKeys?.find((each) => each.id === kid)
    if (!user || !key || !isActive(user) || !isCurrent(key, now())) {
      throw new Refused('invalid_grant', 'assertion: there is no active user of this id with a key of this kid')
    }
    const payload = await verified(assertion, key.publicJwk)
    await useOnce(user.id, payload)
    return user
  }

  async function verified(assertion: string, jwk: object): Promise<JWTPayload> {
    try {
      const options = { audience, currentDate: now(), clockTolerance: toleranceSeconds, algorithms: ['RS256'] }
      const { payload } = await jwtVerify(assertion, await importJWK(jwk, 'RS256'), { ...options, requiredClaims: ['exp', 'iat'] })
      const { iat = 0, exp = 0 } = payload
      if (exp - iat > longestSeconds) throw new Error(`it must not hold for longer than ${longestSeconds} seconds`)
      if (iat > epochSeconds(now()) + toleranceSeconds) throw new Error('its iat is in the future')
      return payload
    } catch (cause) {
      throw new Refused('invalid_grant', `assertion: ${(cause as Error).message}`)
    }
  }

  /** An assertion with a `jti` is accepted once; ZITADEL's libraries make theirs without, two of one second being the same. */
  async function useOnce(userId: string, { jti, exp = 0 }: JWTPayload): Promise<void> {
    if (jti === undefined) return
    const at = now()
    const id = hash('sha256', `${jwtBearer}:${userId}:${jti}`, 'base64url')
    const isNew = await artifacts.insert(artifactOf('ReplayDetection', id, {}, exp - epochSeconds(at) + toleranceSeconds, at))
    if (!isNew) throw new Refused('invalid_grant', 'assertion: it has been used before')
  }

  return async function answer(ctx: Context, next: Next): Promise<unknown> {
    if (ctx.method !== 'POST' || ctx.path !== '/oauth/v2/token') return next()
    const form = await readForm(ctx)
    if (form?.grant_type !== jwtBearer) return next()
    ctx.set('Cache-Control', 'no-store')
    ctx.set('X-Content-Type-Options', 'nosniff')
    try {
      if (!form.assertion) throw new Refused('invalid_request', "missing required parameter 'assertion'")
      if (ctx.req.headers.dpop !== undefined) throw new Refused('invalid_request', 'DPoP: tokens of this grant cannot be bound')
      const user = await userOf(form.assertion)
      const answer = await issue(user, form.scope ?? '')
      tokens.issued({ userId: user.id, clientId: user.username, grant: jwtBearer, scope: answer.scope })
      ctx.body = answer
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      ctx.status = 400
      ctx.body = { error: error.code, error_description: plain(error.message) }
    }
  }
}

function readAssertion(assertion: string): { iss?: string; sub?: string; kid?: string } {
  try {
    const { iss, sub } = decodeJwt(assertion)
    return { iss, sub, kid: decodeProtectedHeader(assertion).kid }
  } catch {
    throw new Refused('invalid_grant', 'assertion: it is no JWT')
  }
}
