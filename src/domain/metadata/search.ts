/** The eight ways to match a key (ZITADEL's TextQueryMethod). `%` and `_` are ordinary characters. */
export const keyMethods = {
  equals: (key: string, text: string) => key === text,
  equalsIgnoreCase: (key: string, text: string) => fold(key) === fold(text),
  startsWith: (key: string, text: string) => key.startsWith(text),
  startsWithIgnoreCase: (key: string, text: string) => fold(key).startsWith(fold(text)),
  contains: (key: string, text: string) => key.includes(text),
  containsIgnoreCase: (key: string, text: string) => fold(key).includes(fold(text)),
  endsWith: (key: string, text: string) => key.endsWith(text),
  endsWithIgnoreCase: (key: string, text: string) => fold(key).endsWith(fold(text)),
} as const

export type KeyMethod = keyof typeof keyMethods

export interface KeyFilter {
  readonly key: string
  readonly method: KeyMethod
}

const fold = (text: string) => text.toLowerCase()

/** The filters as one predicate, with the key itself where they can match no other. */
export function selectionOf(filters: readonly KeyFilter[]): { exactKey?: string; matches: (key: string) => boolean } {
  const matches = (key: string) => filters.every((filter) => keyMethods[filter.method](key, filter.key))
  const exact = filters.find((filter) => filter.method === 'equals')
  return exact ? { exactKey: exact.key, matches } : { matches }
}
