/** Sessions for programs, by a token with Dossier's own audience. */
import type { Context } from 'koa'
import { ProofNotAccepted, type VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { User } from '#src/domain/users/user.ts'
import { presentedToken, proofChallenge } from '../kit/bearer.ts'
import type { Endpoint } from '../kit/endpoint.ts'

export interface SessionsApiDeps {
  readonly sessions: Sessions
  readonly verifyBearer: VerifyBearer
  /** The project that stands for Dossier itself: a token for it names it in its audience. */
  readonly ownProjectId: string
}

/** `GET /account/sessions` lists the caller's sessions, `DELETE /account/sessions/{id}` ends one. Errors are RFC 6750's. */
export function sessionsApi({ sessions, verifyBearer, ownProjectId }: SessionsApiDeps): readonly Endpoint[] {
  async function caller(ctx: Context): Promise<User | undefined> {
    const presented = presentedToken(ctx)
    const bearer = presented && (await verifyBearer(presented.token, presented.request).catch(notProved))
    if (bearer instanceof ProofNotAccepted) {
      refuse(ctx, 401, 'invalid_dpop_proof', bearer.message)
      ctx.set('WWW-Authenticate', proofChallenge(bearer))
      return undefined
    }
    // Whoever acts for somebody does not decide where that person is signed in.
    if (bearer?.user && bearer.actorId !== undefined)
      return void refuse(ctx, 403, 'access_denied', 'the token is of somebody who acts for the user')
    if (bearer?.user && bearer.audience.has(ownProjectId)) return bearer.user
    if (bearer?.user)
      refuse(ctx, 403, 'insufficient_scope', 'the token is not for this service: ask for urn:zitadel:iam:org:project:id:zitadel:aud')
    else refuse(ctx, 401, 'invalid_token', 'an access token of a user is needed')
    return undefined
  }

  async function list(ctx: Context): Promise<void> {
    const user = await caller(ctx)
    if (!user) return
    const found = await sessions.list(user.id)
    ctx.set('Cache-Control', 'no-store')
    ctx.body = {
      sessions: found.map(({ id, signedInAt, expiresAt, amr, clientIds }) => ({ id, signedInAt, expiresAt, amr, applications: clientIds })),
    }
  }

  async function end(ctx: Context): Promise<void> {
    const user = await caller(ctx)
    if (!user) return
    if (await sessions.end(user.id, ctx.params.id, { kind: 'user', id: user.id })) ctx.status = 204
    else refuse(ctx, 404, 'not_found', 'there is no such session')
  }

  return [
    { method: 'GET', path: '/account/sessions', handle: list },
    { method: 'DELETE', path: '/account/sessions/:id', handle: end },
  ]
}

function notProved(error: unknown): ProofNotAccepted {
  if (error instanceof ProofNotAccepted) return error
  throw error
}

function refuse(ctx: Context, status: number, error: string, description: string): void {
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  if (status !== 404) ctx.set('WWW-Authenticate', `Bearer error="${error}", error_description="${description}"`)
  ctx.body = { error, error_description: description }
}
