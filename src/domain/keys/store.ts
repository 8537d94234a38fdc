import type { SigningAlgorithm } from '../applications/application.ts'
import type { AuditEvent } from '../audit/events.ts'

/** A signing key as stored: the private part is sealed, the rest decides when it is published and used. */
export interface StoredKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  /** The private JWK, sealed (see seal.ts). */
  readonly sealed: string
  readonly createdAt: Date
  /** Published from the start, signs from here on. */
  readonly activeFrom: Date
  /** Set when a successor was made: no longer published after this. */
  readonly publishedUntil?: Date
}

export interface KeyStore {
  list(): Promise<readonly StoredKey[]>
  /** Puts and removes keys in one transaction with the events, and moves the catalogue's revision. */
  commit(change: { put: readonly StoredKey[]; remove: readonly string[]; events: readonly AuditEvent[] }): Promise<void>
}
