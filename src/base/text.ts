/** The eight ways to match a text (ZITADEL's TextQueryMethod). `%` and `_` are ordinary characters. */
export const textMethods = {
  equals: (value: string, text: string) => value === text,
  equalsIgnoreCase: (value: string, text: string) => fold(value) === fold(text),
  startsWith: (value: string, text: string) => value.startsWith(text),
  startsWithIgnoreCase: (value: string, text: string) => fold(value).startsWith(fold(text)),
  contains: (value: string, text: string) => value.includes(text),
  containsIgnoreCase: (value: string, text: string) => fold(value).includes(fold(text)),
  endsWith: (value: string, text: string) => value.endsWith(text),
  endsWithIgnoreCase: (value: string, text: string) => fold(value).endsWith(fold(text)),
} as const

export type TextMethod = keyof typeof textMethods

const fold = (text: string) => text.toLowerCase()
