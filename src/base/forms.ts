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
