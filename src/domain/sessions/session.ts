import type { Actor } from '../audit/events.ts'

/** A browser that a person is signed in with. */
export interface Session {
  /** It stays the same while the browser's cookie changes. */
  readonly id: string
  readonly signedInAt: Date
  readonly expiresAt: Date
  /** How the person proved who they are (RFC 8176). */
  readonly amr: readonly string[]
  /** What the browser calls itself, as it was used last. */
  readonly agent?: string
  /** Client ids of the applications that the person has used in it. */
  readonly clientIds: readonly string[]
}

/** The sessions of users, wherever they have signed in. */
export interface Sessions {
  /** Those that have not expired, the newest first. */
  list(userId: string): Promise<readonly Session[]>
  /**
   * Ends a session with everything that ends with it, and tells its applications. Refresh tokens that were asked for with `offline_access` outlive it.
   * `false` when the user has no such session.
   */
  end(userId: string, sessionId: string, actor: Actor): Promise<boolean>
}
