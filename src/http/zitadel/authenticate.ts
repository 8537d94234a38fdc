import type { Context } from 'koa'
import type { Bearer, TokenRequest, VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { User } from '#src/domain/users/user.ts'
import { StatusError } from './errors.ts'

/** Who makes a request: an active user, by a token that was made for this API. */
export type Caller = Bearer & { readonly user: User }

export interface AuthenticateNeeds {
  readonly verifyBearer: VerifyBearer
  /** The project that stands for Dossier itself: tokens for its APIs name it in their audience. */
  readonly ownProjectId: () => string
}

/** Answers who sends a request, by its `Authorization` header. It throws a `StatusError` 401 when that is nobody, or the token is for something else. */
export function createAuthenticate({ verifyBearer, ownProjectId }: AuthenticateNeeds) {
  return async function authenticate({ method, path, req: { headers } }: Context): Promise<Caller> {
    if (!headers.authorization) throw new StatusError('unauthenticated', 'auth header missing')
    const [, scheme = '', token] = /^(bearer|dpop) +(\S+) *$/i.exec(headers.authorization) ?? []
    if (token === undefined) throw new StatusError('unauthenticated', 'invalid auth header', { id: 'AUTH-7fs1e' })
    const bearer = await verifyBearer(token, { scheme: scheme.toLowerCase() as TokenRequest['scheme'], method, path, headers })
    if (!hasUser(bearer)) throw new StatusError('unauthenticated', 'Token is invalid', { id: 'AUTH-7fs1e' })
    if (!bearer.audience.has(ownProjectId())) throw new StatusError('unauthenticated', 'invalid audience', { id: 'APP-Zxfako' })
    return bearer
  }
}

const hasUser = (bearer: Bearer | undefined): bearer is Caller => bearer?.user !== undefined
