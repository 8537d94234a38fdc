import { DomainError } from '#src/base/errors.ts'
import type { User } from '../users/user.ts'

/** A token that was presented and holds: whose it is, and what it may be used for. */
export interface Bearer {
  /** Active at the time of the question. Absent for a token that an application got for itself (client credentials). */
  readonly user?: User
  readonly clientId?: string
  readonly scopes: ReadonlySet<string>
  readonly audience: ReadonlySet<string>
  /** The session that the token was issued in. */
  readonly sessionId?: string
  /** Somebody who acts for the user (token exchange). */
  readonly actorId?: string
  /** Of the application that the token was issued to, if there is one: where its pages are. */
  readonly origins?: ReadonlySet<string>
}

/** The token holds, and the proof of its key does not (RFC 9449, section 7.1): it is missing, wrong, or was used before. */
export class ProofNotAccepted extends DomainError {
  readonly code = 'token.proof_not_accepted'
  constructor() {
    super('the DPoP proof is missing, wrong, or was used before')
  }
}

/** The request that a token came with, as far as it may have to prove that the token is the sender's (DPoP, mutual TLS). */
export interface TokenRequest {
  /** Of the `Authorization` header, in lower case. */
  readonly scheme: 'bearer' | 'dpop'
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/**
 * Judges a token, opaque, JWT or personal: `undefined` when it is unknown, expired, revoked, its user may not act, or the request does not prove what the
 * token is bound to.
 * @throws ProofNotAccepted
 */
export type VerifyBearer = (token: string, request: TokenRequest) => Promise<Bearer | undefined>
