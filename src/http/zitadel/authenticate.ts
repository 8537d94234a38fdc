import { heldBy } from '#src/domain/applications/managing.ts'
import { allows, isMember } from '#src/domain/applications/ownRoles.ts'
import { type Bearer, ProofNotAccepted, type VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { User } from '#src/domain/users/user.ts'
import { presentedToken, proofChallenge } from '../kit/bearer.ts'
import type { Access } from './access.ts'
import type { Call } from './call.ts'
import { StatusError } from './errors.ts'

/** Who calls: an active user, by a token that was made for this API. */
export interface Caller extends Bearer {
  readonly user: User
  /** Whether they have any right to manage anything. */
  readonly isMember: boolean
  /** The address that the call came from. */
  readonly address: string
  /** The roles of Dossier's own project that they hold; an administrator holds all. */
  readonly held: readonly string[]
  /** Whether they called the API of the first version: a refusal is worded as the API has it that was called. */
  readonly isFirstApi: boolean
  /** Whether they may do what `permission` names, like `user.read`. */
  may(permission: string): boolean
}

export interface AuthenticateNeeds {
  readonly verifyBearer: VerifyBearer
  /** The project that stands for Dossier itself: tokens for its APIs name it in their audience. */
  readonly ownProjectId: () => string
}

/** Answers who calls, by the `Authorization` header. It throws a `StatusError` 401 when that is nobody, or the token is for something else. */
export function createAuthenticate({ verifyBearer, ownProjectId }: AuthenticateNeeds) {
  return async function authenticate(call: Call, { isFirstApi }: Pick<Access, 'isFirstApi'>): Promise<Caller> {
    if (!call.headers.authorization) throw new StatusError('unauthenticated', 'auth header missing')
    const presented = presentedToken(call)
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
    const held = heldBy(bearer.user, ownProjectId())
    return { ...bearer, address: call.ip, isFirstApi, held, isMember: isMember(held), may: (permission) => allows(held, permission) }
  }
}

const hasUser = (bearer: Bearer | undefined): bearer is Bearer & { readonly user: User } => bearer?.user !== undefined
