import type { Actor } from '../audit/events.ts'

/** What an application may see and do for a person. */
export interface Access {
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Claims that it asked for by name. */
  readonly claims: readonly string[]
}

/** What people have let applications do, wherever they did. */
export interface Accesses {
  /** One an application, in the order of their client ids. Dossier's own pages are not among them. */
  list(userId: string): Promise<readonly Access[]>
  /** Takes away what an application may do, with its tokens, and tells it. `false` when it had no access. */
  revoke(userId: string, clientId: string, actor: Actor): Promise<boolean>
}
