import type { Page, PageRequest } from '#src/base/page.ts'
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

/** How many bytes of a value a summary begins with. */
export const summaryBytes = 200

/** An entry without its value. */
interface MetadataSummary extends Omit<MetadataEntry, 'value'> {
  /** How long the value is. */
  readonly bytes: number
  /** The first 200 bytes of the value: what it looks like. */
  readonly beginning: Uint8Array
}

/** A part of what a user has, and how much there is in all. */
export interface MetadataSummaries extends Page<MetadataSummary> {
  readonly keys: number
  readonly bytes: number
  /** The number and the time of the user's last change. */
  readonly sequence: number
  readonly changedAt: Date
}

export interface MetadataStore {
  find(userId: UserId, key: string): Promise<MetadataEntry | undefined>
  /** By time of creation, then by sequence. @throws UserNotFound */
  search(userId: UserId, selection: MetadataSelection): Promise<MetadataFound>
  /** By key, in the order of its bytes (UTF-8); `after` is the last key of the page before, which need not be there any more. @throws UserNotFound */
  summaries(userId: UserId, page: PageRequest): Promise<MetadataSummaries>
  /**
   * Applies what `decide` makes of the current state, in one transaction with its events and the user's `sequence` and `changedAt`.
   * `decide` is pure and may be called again when somebody else was faster; what it throws ends the change with nothing written;
   * `undefined` means that nothing is to change.
   * @throws UserNotFound
   */
  change(userId: UserId, keys: readonly string[], decide: (state: MetadataState) => MetadataChange | undefined): Promise<void>
}
