/** Forms that texts have to have, whichever way they come in. */

/** As much of RFC 5322 as everybody agrees on. */
export const isEmailAddress = (value: string) => value.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(value)

/** BCP 47. */
export function isLanguageTag(value: string): boolean {
  try {
    return Intl.getCanonicalLocales(value).length === 1
  } catch {
    return false
  }
}

const mostNameCharacters = 200

const isShort = (text: string) => text.trim() !== '' && [...text].length <= mostNameCharacters

/** Control characters, line ends among them, characters that nobody sees, and those that make others stand in another order than they do. */
const unseen = /[\p{Cc}\p{Cs}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u

/** The name of a thing must be what it looks like, on a page and in a mail. */
export const isName = (text: string) => isShort(text) && !unseen.test(text)
/** What to say of a name that is none. */
export const nameReason = `must have 1 to ${mostNameCharacters} characters, and none that nobody sees`

/** Control characters, line ends, and what turns the rest of a line around. */
const unruly = /[\p{Cc}\u2028-\u202e]/u

/** The name of a person. Some of what nobody sees stands in it for a reason: between letters of Persian, say. */
export const isPersonName = (text: string) => isShort(text) && !unruly.test(text)
export const personNameReason = `must have 1 to ${mostNameCharacters} characters, and none that controls or turns text`

/** What somebody else calls a person, as far as it is a name; the rest is cut off. */
export function personNameIn(text: string): string | undefined {
  const name = [...text].slice(0, mostNameCharacters).join('')
  return isPersonName(name) ? name : undefined
}

/** Names that MongoDB takes, as far as they matter here. */
export const isDatabaseName = (name: string) => /^[^/\\. "$*<>:|?\0]{1,63}$/.test(name)
export const isCollectionName = (name: string) =>
  name !== '' && name.length <= 200 && !/[$\0]/.test(name) && !/^\.|\.$|\.\./.test(name) && !name.startsWith('system.')
/** A path of a field: names with dots between them. */
export const isFieldPath = (path: string) => path.length <= 200 && path.split('.').every((name) => name !== '' && !/^\$|\0/.test(name))
