import type { Context } from 'koa'
import { type Bearer, ProofNotAccepted, type VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { User } from '#src/domain/users/user.ts'
import { presentedToken, proofChallenge } from '../kit/bearer.ts'
import { StatusError } from './errors.ts'

/** Who makes a request: an active user, by a token that was made for this API. */
export type Caller = Bearer & { readonly user: User }

export interface AuthenticateNeeds {
  readonly verifyBearer: VerifyBearer
  /** The project that stands for Dossier itself: tokens for its APIs name it in their audience. */
  readonly ownProjectId: () => string
  /** The one that there is: a request may name it, and no other. */
  readonly organizationId: () => string
}

/**
 * Answers who sends a request, by its `Authorization` header. It throws a `StatusError` 401 when that is nobody, or the token is for something else;
 * 403 when somebody acts for the user, or the request is about an organization that there is not.
 */
export function createAuthenticate({ verifyBearer, ownProjectId, organizationId }: AuthenticateNeeds) {
  return async function authenticate(ctx: Context): Promise<Caller> {
    if (!ctx.req.headers.authorization) throw new StatusError('unauthenticated', 'auth header missing')
    const presented = presentedToken(ctx)
    if (!presented) throw new StatusError('unauthenticated', 'invalid auth header', { id: 'AUTH-7fs1e' })
    const bearer = await verifyBearer(presented.token, presented.request).catch((error: unknown) => {
      if (!(error instanceof ProofNotAccepted)) throw error
      throw new StatusError('unauthenticated', 'Token is invalid', {
        id: 'AUTH-7fs1e',
        headers: { 'WWW-Authenticate': proofChallenge(error) },
      })
    })
    if (!hasUser(bearer)) throw new StatusError('unauthenticated', 'Token is invalid', { id: 'AUTH-7fs1e' })
    if (!bearer.audience.has(ownProjectId())) throw new StatusError('unauthenticated', 'invalid audience', { id: 'APP-Zxfako' })
    if (bearer.actorId !== undefined)
      throw new StatusError('permissionDenied', 'Impersonated tokens not allowed for API', { id: 'APP-Shi0J' })
    const named = ctx.get('x-zitadel-orgid')
    if (named !== '' && named !== organizationId())
      throw new StatusError('permissionDenied', "Organisation doesn't exist", { id: 'AUTH-Bs7Ds' })
    return bearer
  }
}

const hasUser = (bearer: Bearer | undefined): bearer is Caller => bearer?.user !== undefined
