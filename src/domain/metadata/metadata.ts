/**
 * Metadata: keyed byte values on a user, with ZITADEL's semantics (contracts/zitadel.md).
 *
 * Owns limits, all-or-nothing changes, the sequence of each change and the text search over keys. It knows neither base64 nor
 * JSON: callers hand in bytes. A value of any bytes is allowed; a key is any text of 1 to 200 code points.
 */
import { DomainError } from '#src/base/errors.ts'
import type { PageRequest } from '#src/base/page.ts'
import type { Actor, AuditEvent } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { UserId } from '../users/user.ts'
import { type KeyFilter, selectionOf } from './search.ts'
import type { MetadataChange, MetadataFound, MetadataState, MetadataStore, MetadataSummaries } from './store.ts'

export const metadataLimits = { keyCodePoints: 200, valueBytes: 500_000, keys: 1000, totalBytes: 4 * 1024 * 1024 } as const

/** One key with its bytes. `sequence` is the user's change that last wrote it. */
export interface MetadataEntry {
  readonly key: string
  readonly value: Uint8Array
  readonly sequence: number
  readonly createdAt: Date
  readonly changedAt: Date
}

export interface KeyValue {
  readonly key: string
  readonly value: Uint8Array
}

/** What stands under a key as whoever changes it has seen it. */
export interface Expectation {
  /** The `sequence` of the entry, or `null` when there was none. Left out, it does not matter what is there. */
  readonly expectedSequence?: number | null | undefined
}

/** A key whose entry is not the one that was seen, with what is there now; without `current` it is gone. */
export interface MetadataDifference {
  readonly key: string
  readonly current?: MetadataEntry | undefined
}

/** Somebody else was faster. Nothing was changed. */
export class MetadataConflict extends DomainError {
  readonly code = 'metadata.conflict'
  readonly conflicts: readonly MetadataDifference[]
  constructor(conflicts: readonly MetadataDifference[]) {
    super(`somebody else has changed the metadata under ${conflicts.map(({ key }) => JSON.stringify(key)).join(', ')}`)
    this.conflicts = conflicts
  }
}

export class MetadataNotFound extends DomainError {
  readonly code = 'metadata.not_found'
  /** The keys that are not there. */
  readonly keys: readonly string[]
  constructor(keys: readonly string[]) {
    super(`there is no metadata under ${keys.map((key) => JSON.stringify(key)).join(', ')}`)
    this.keys = keys
  }
}

export class MetadataListEmpty extends DomainError {
  readonly code = 'metadata.list_empty'
  constructor() {
    super('the list of metadata is empty')
  }
}

export class MetadataInvalid extends DomainError {
  readonly code = 'metadata.invalid'
}

export class MetadataLimitReached extends DomainError {
  readonly code = 'metadata.limit_reached'
}

export interface MetadataDeps {
  readonly store: MetadataStore
  readonly recorder: Recorder
}

/** What a write answers: where the user stands afterwards. */
export interface MetadataWritten {
  readonly sequence: number
  readonly at: Date
}

export type Metadata = ReturnType<typeof createMetadata>

export function createMetadata({ store, recorder }: MetadataDeps) {
  async function change(userId: UserId, keys: readonly string[], decide: (state: MetadataState) => MetadataChange | undefined) {
    let written: MetadataWritten = { sequence: 0, at: recorder.now() }
    await store.change(userId, keys, (state) => {
      const decision = decide(state)
      written = { sequence: decision?.sequence ?? state.sequence, at: decision?.at ?? recorder.now() }
      return decision
    })
    return written
  }

  return {
    /** One entry. @throws MetadataNotFound */
    async get(userId: UserId, key: string): Promise<MetadataEntry> {
      const entry = await store.find(userId, key)
      if (!entry) throw new MetadataNotFound([key])
      return entry
    },

    /** Entries whose key passes every filter. @throws UserNotFound */
    search(
      userId: UserId,
      filters: readonly KeyFilter[],
      page: { offset: number; limit: number; ascending: boolean },
    ): Promise<MetadataFound> {
      return store.search(userId, { ...selectionOf(filters), ...page })
    },

    /** What there is under each key without the values, by key. @throws UserNotFound */
    summaries: (userId: UserId, page: PageRequest): Promise<MetadataSummaries> => store.summaries(userId, page),

    /**
     * Sets all of `values`, or none. A key named twice takes its last value. A value that is already there to the byte is no change
     * and makes no event, nor a conflict.
     * @throws MetadataListEmpty, MetadataInvalid, MetadataLimitReached, UserNotFound, MetadataConflict when the entries under some keys are not those that
     * were expected
     */
    async set(userId: UserId, values: readonly (KeyValue & Expectation)[], actor: Actor): Promise<MetadataWritten> {
      if (values.length === 0) throw new MetadataListEmpty()
      for (const { key, value } of values) assertAcceptable(key, value)
      const wanted = new Map(values.map(({ key, value }) => [key, value]))
      const expectations = new Map(values.map(({ key, expectedSequence }) => [key, expectedSequence]))
      return change(userId, [...wanted.keys()], (state) => {
        const isThere = (key: string) => Buffer.compare(state.entries.get(key)?.value ?? empty, wanted.get(key) ?? empty) === 0
        assertExpected(
          [...expectations].filter(([key]) => !isThere(key)),
          state,
        )
        const at = recorder.now()
        const events: AuditEvent[] = []
        const put: MetadataEntry[] = []
        let { sequence, keys, bytes } = state
        for (const [key, value] of wanted) {
          const current = state.entries.get(key)
          if (isThere(key)) continue
          sequence += 1
          keys += current ? 0 : 1
          bytes += value.byteLength - (current?.value.byteLength ?? 0)
          put.push({ key, value, sequence, createdAt: current?.createdAt ?? at, changedAt: at })
          events.push(recorder.event('metadata.set', actor, { kind: 'user', id: userId }, { key, bytes: value.byteLength }, sequence))
        }
        if (put.length === 0) return undefined
        if (keys > metadataLimits.keys) throw new MetadataLimitReached(`a user may have at most ${metadataLimits.keys} metadata keys`)
        if (bytes > metadataLimits.totalBytes) throw new MetadataLimitReached('the metadata of a user may be at most 4 MiB together')
        return { put, remove: [], events, sequence, at }
      })
    },

    /**
     * Removes all of `keys`, or none.
     * @throws MetadataListEmpty, MetadataNotFound, UserNotFound, MetadataConflict when the entries under some keys are not those that were expected
     */
    async remove(
      userId: UserId,
      keys: readonly (string | ({ readonly key: string } & Expectation))[],
      actor: Actor,
    ): Promise<MetadataWritten> {
      if (keys.length === 0) throw new MetadataListEmpty()
      const expectations = new Map(
        keys.map((each) => (typeof each === 'string' ? [each, undefined] : ([each.key, each.expectedSequence] as const))),
      )
      const unwanted = [...expectations.keys()]
      return change(userId, unwanted, (state) => {
        assertExpected(expectations, state)
        const missing = unwanted.filter((key) => !state.entries.has(key))
        if (missing.length > 0) throw new MetadataNotFound(missing)
        const at = recorder.now()
        const events = unwanted.map((key, index) =>
          recorder.event('metadata.removed', actor, { kind: 'user', id: userId }, { key }, state.sequence + index + 1),
        )
        return { put: [], remove: unwanted, events, sequence: state.sequence + unwanted.length, at }
      })
    },
  }
}

/** No value is empty. */
const empty = new Uint8Array()

/** @throws MetadataConflict */
function assertExpected(
  expectations: Iterable<readonly [key: string, expected: Expectation['expectedSequence']]>,
  { entries }: MetadataState,
) {
  const conflicts = [...expectations]
    .filter(([key, expected]) => expected !== undefined && (entries.get(key)?.sequence ?? null) !== expected)
    .map(([key]) => ({ key, current: entries.get(key) }))
  if (conflicts.length > 0) throw new MetadataConflict(conflicts)
}

/** @throws MetadataInvalid when a key or a value is outside the limits */
export function assertAcceptable(key: string, value: Uint8Array): void {
  const codePoints = [...key].length
  if (codePoints < 1 || codePoints > metadataLimits.keyCodePoints) {
    throw new MetadataInvalid(`a metadata key must have 1 to ${metadataLimits.keyCodePoints} characters, not ${codePoints}`)
  }
  if (!key.isWellFormed()) throw new MetadataInvalid('a metadata key must be well-formed Unicode')
  if (value.byteLength < 1 || value.byteLength > metadataLimits.valueBytes) {
    throw new MetadataInvalid(`a metadata value must have 1 to ${metadataLimits.valueBytes} bytes, not ${value.byteLength}`)
  }
}
