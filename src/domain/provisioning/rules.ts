import { DomainError } from '#src/base/errors.ts'
import type { Settings } from '../applications/application.ts'
import type { Profile } from '../users/user.ts'
import type { SecretRules } from './clientSecret.ts'
import type { Faults, Path } from './faults.ts'

/** What other rooms say is right, handed in by whoever composes them. Each `assert` throws a DomainError that tells what is wrong. */
export interface Rules extends SecretRules {
  readonly defaultSettings: Settings
  readonly metadataLimits: { readonly keys: number; readonly totalBytes: number }
  /** The form in which usernames are compared. */
  comparable(username: string): string
  assertUsername(username: string): unknown
  /** Names that somebody has `before` are not judged. */
  assertProfile(profile: Profile, before: Profile | undefined): unknown
  assertPassword(password: string): unknown
  assertPasswordHash(hash: string): unknown
  assertMetadata(key: string, value: Uint8Array): unknown
}

/** Adds what `check` refuses to `faults`. */
export function note(faults: Faults, path: Path, check: () => unknown): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const { field } = error as { field?: unknown }
    faults.add(path, typeof field === 'string' ? error.message.replace(`${field}: `, '') : error.message)
  }
}

/** Adds a fault for each of `items` that has the same key as an earlier one. An item without a key is like no other. */
export function noteRepeated<T extends { readonly path: Path }>(
  items: readonly T[],
  field: string,
  keyOf: (item: T) => string | undefined,
  faults: Pick<Faults, 'add'>,
): void {
  const seen = new Set<string>()
  for (const item of items) {
    const key = keyOf(item)
    if (key === undefined) continue
    if (seen.has(key)) faults.add([...item.path, field], `${JSON.stringify(key)} is listed twice`)
    seen.add(key)
  }
}
