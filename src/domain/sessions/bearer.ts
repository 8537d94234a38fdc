import type { User } from '../users/user.ts'

/** A token that was presented and holds: whose it is, and what it may be used for. */
export interface Bearer {
  /** Active at the time of the question. Absent for a token that an application got for itself (client credentials). */
  readonly user?: User
  readonly clientId?: string
  readonly scopes: ReadonlySet<string>
  readonly audience: ReadonlySet<string>
}

/** Judges a bearer token, opaque, JWT or personal: `undefined` when it is unknown, expired, revoked, or its user may not act. */
export type VerifyBearer = (token: string) => Promise<Bearer | undefined>
