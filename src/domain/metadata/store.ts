import type { AuditEvent } from '../audit/events.ts'
import type { UserId } from '../users/user.ts'
import type { MetadataEntry } from './metadata.ts'

/** What a decision about one user's metadata may depend on. */
export interface MetadataState {
  /** The number of the user's last change. */
  readonly sequence: number
  /** Those of the asked keys that exist. */
  readonly entries: ReadonlyMap<string, MetadataEntry>
  /** All keys of the user, and the bytes of all their values. */
  readonly keys: number
  readonly bytes: number
}

/** What to write: whole entries to put in place, keys to take away, and one event a changed key with the user's next sequence. */
export interface MetadataChange {
  readonly put: readonly MetadataEntry[]
  readonly remove: readonly string[]
  readonly events: readonly AuditEvent[]
  readonly sequence: number
  readonly at: Date
}

export interface MetadataSelection {
  /** When the whole selection can be one key: the drivers then read just that one. */
  readonly exactKey?: string
  readonly matches: (key: string) => boolean
  readonly offset: number
  readonly limit: number
  readonly ascending: boolean
}

export interface MetadataFound {
  readonly entries: readonly MetadataEntry[]
  /** All that match, without offset and limit. */
  readonly total: number
  /** The number and the time of the user's last change. */
  readonly sequence: number
  readonly changedAt: Date
}

export interface MetadataStore {
  find(userId: UserId, key: string): Promise<MetadataEntry | undefined>
  /** By time of creation, then by sequence. @throws UserNotFound */
  search(userId: UserId, selection: MetadataSelection): Promise<MetadataFound>
  /**
   * Applies what `decide` makes of the current state, in one transaction with its events and the user's `sequence` and `changedAt`.
   * `decide` is pure and may be called again when somebody else was faster; what it throws ends the change with nothing written;
   * `undefined` means that nothing is to change.
   * @throws UserNotFound
   */
  change(userId: UserId, keys: readonly string[], decide: (state: MetadataState) => MetadataChange | undefined): Promise<void>
}
