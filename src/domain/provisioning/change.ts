import { isDeepStrictEqual } from 'node:util'

/** What an apply does, or would do, to one thing that the configuration file names. */
export interface Change {
  readonly kind: 'organization' | 'settings' | 'project' | 'application' | 'user'
  readonly name: string
  readonly change: 'create' | 'update' | 'remove' | 'none'
  /** What differs, where it is an update. */
  readonly fields?: readonly string[]
  /** A client secret that was made, because the file gives none: it is told this once. */
  readonly clientSecret?: string
}

/** The change of something that exists, by what differs about it. */
export const changeOf = (kind: Change['kind'], name: string, fields: readonly string[]): Change =>
  fields.length === 0 ? { kind, name, change: 'none' } : { kind, name, change: 'update', fields }

/** The names under which `before` and `after` hold something else; what is left out and what is `undefined` are the same. */
export function differingFields<T extends object>(before: Partial<T>, after: Partial<T>): readonly (keyof T & string)[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof T & string>
  return [...fields].filter((field) => !isDeepStrictEqual(plain(before[field]), plain(after[field])))
}

const plain = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
