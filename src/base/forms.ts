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

/** Names that MongoDB takes, as far as they matter here. */
export const isDatabaseName = (name: string) => /^[^/\\. "$*<>:|?\0]{1,63}$/.test(name)
export const isCollectionName = (name: string) =>
  name !== '' && name.length <= 200 && !/[$\0]/.test(name) && !/^\.|\.$|\.\./.test(name) && !name.startsWith('system.')
/** A path of a field: names with dots between them. */
export const isFieldPath = (path: string) => path.length <= 200 && path.split('.').every((name) => name !== '' && !/^\$|\0/.test(name))
