/** What the suites of this folder run on, and what they put in. Each suite is run on every driver, by a test file of ten lines. */
import type { Clock } from '#src/base/clock.ts'
import type { Actor, AuditEvent } from '#src/domain/audit/events.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import type { Stores } from '#src/domain/stores.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import * as records from '../support/records.ts'

interface OpenedStores extends Stores, AsyncDisposable {
  /** Opens the same store once more, as another process would. */
  again(): Promise<OpenedStores>
}

/** Opens a new, empty store. */
export type Open = (options?: { now?: Clock }) => Promise<OpenedStores>

/** Turns what opens a store at an address into what opens new ones. */
export function opening(newAddress: () => string, open: (address: string, options?: { now?: Clock }) => Promise<Stores>): Open {
  const at = async (address: string, options?: { now?: Clock }): Promise<OpenedStores> => {
    const stores = await open(address, options)
    return { ...stores, again: () => at(address, options), [Symbol.asyncDispose]: () => stores.close() }
  }
  return (options) => at(newAddress(), options)
}

export const at = new Date('2026-03-01T10:00:00.123Z')
export const system: Actor = { kind: 'system' }
export const recorder = createRecorder({ now: () => at })

/** A time `seconds` after `at`. */
export const later = (seconds: number) => new Date(at.getTime() + seconds * 1000)

/** Names that mean something to JavaScript, to SQL or to MongoDB, and longest ones. */
export const oddKeys = [
  '__proto__',
  'constructor',
  'toString',
  'a.b',
  '.',
  '$set',
  '$',
  '0',
  '-1',
  '%',
  "'; --",
  '\u0000',
  ' ',
  '\u200b',
  'ключ',
  'é',
  'e\u0301',
  '👩‍👩‍👧‍👦',
  'k'.repeat(200),
  '😀'.repeat(200),
] as const

export const user = (username: string, more: Partial<User> = {}) => records.user({ username, createdAt: at, changedAt: at, ...more })

export const bytes = (text: string) => new Uint8Array(Buffer.from(text))

export const entry = (key: string, value: Uint8Array, sequence = 1, createdAt = at): MetadataEntry => ({
  key,
  value,
  sequence,
  createdAt,
  changedAt: createdAt,
})

/** The event that tells of a user's change number `sequence`, or of something that happened to them. */
export const event = (id: UserId, sequence?: number): AuditEvent =>
  recorder.event('user.changed', system, { kind: 'user', id }, { fields: ['profile'] }, sequence)

/** Entries in a form that two drivers can be compared by: a value may be any kind of byte array. */
export const plain = (entries: readonly MetadataEntry[]) => entries.map((each) => ({ ...each, value: new Uint8Array(each.value) }))

/** Asks until the answer is `wanted`, for five seconds. */
export async function eventually<T>(ask: () => T | Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + 5000
  for (;;) {
    const answer = await ask()
    if (wanted(answer) || performance.now() > deadline) return answer
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Runs `work` `count` times at once, and answers how each went. */
export const atOnce = <T>(count: number, work: (number: number) => Promise<T>) =>
  Promise.allSettled(Array.from({ length: count }, (_, number) => work(number)))

/** 1, 2 … `last`. */
export const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
