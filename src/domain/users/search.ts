/** What users are looked for by. A driver answers each filter in the same way; which of them an index serves stands in docs/data-model.md. */
import { type TextMethod, textMethods } from '#src/base/text.ts'
import { comparable, type User, type UserState } from './user.ts'

export type TextField = 'username' | 'email' | 'phone' | 'givenName' | 'familyName' | 'nickName' | 'displayName'

export type UserFilter =
  /** Whoever has no such field is not found. */
  | { readonly kind: 'text'; readonly field: TextField; readonly text: string; readonly method: TextMethod }
  | { readonly kind: 'state'; readonly state: UserState }
  | { readonly kind: 'type'; readonly type: User['kind'] }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  /** Without regard to case, verified or not. */
  | { readonly kind: 'emails'; readonly emails: readonly string[] }
  /** An entry of metadata that is both: its key matches, and its value is these bytes, 200 at most, or is not. */
  | {
      readonly kind: 'metadata'
      readonly key?: { readonly text: string; readonly method: TextMethod }
      readonly value?: { readonly bytes: Uint8Array; readonly equal: boolean }
    }
  /** Holds something in a project. */
  | { readonly kind: 'granted'; readonly projectId: string }
  /** Of nothing, everybody passes "and", and nobody "or". */
  | { readonly kind: 'and' | 'or'; readonly filters: readonly UserFilter[] }
  | { readonly kind: 'not'; readonly filter: UserFilter }

export type UserSort = 'createdAt' | TextField | 'state' | 'type'

export interface UserSearch {
  readonly filter: UserFilter
  /** Those that are equal come in the order of their ids. */
  readonly sort: UserSort
  readonly ascending: boolean
  readonly offset: number
  readonly limit: number
}

/** A part of what was found, and how many there are in all. */
export interface UsersFound {
  readonly users: readonly User[]
  readonly total: number
}

export const everybody: UserFilter = { kind: 'and', filters: [] }

/** How much of a metadata value can be looked for: as much as a filter may have, and a byte more, which tells that there is more. */
export const searchedBytes = 201

/** Whether a method looks at upper and lower case. */
export const regardsCase = (method: TextMethod): boolean => !method.endsWith('IgnoreCase')

/** Whether `value` matches `text`. Where case does not matter, neither does the form of a character (NFKC). */
export function matchesText(value: string, text: string, method: TextMethod): boolean {
  return regardsCase(method) ? textMethods[method](value, text) : textMethods[method](comparable(value), comparable(text))
}
