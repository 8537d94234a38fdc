import { type TextMethod, textMethods } from '#src/base/text.ts'

export interface KeyFilter {
  readonly key: string
  readonly method: TextMethod
}

/** The filters as one predicate, with the key itself where they can match no other. */
export function selectionOf(filters: readonly KeyFilter[]): { exactKey?: string; matches: (key: string) => boolean } {
  const matches = (key: string) => filters.every((filter) => textMethods[filter.method](key, filter.key))
  const exact = filters.find((filter) => filter.method === 'equals')
  return exact ? { exactKey: exact.key, matches } : { matches }
}
