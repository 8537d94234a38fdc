import { RE2JS } from 're2js'

/** Longer texts match no pattern: the time is linear in the length, and what people type into one field is short. */
const longestText = 1000
const longestPattern = 500

/**
 * A test for whole texts of up to 1000 characters. The syntax is RE2's: what JavaScript has, without look-around and back references, because its time is linear, so that neither a
 * pattern nor what somebody types can keep the server busy.
 * @throws TypeError with a sentence, when `pattern` is none
 */
export function wholeMatcher(pattern: string): (text: string) => boolean {
  if (pattern.length > longestPattern) throw new TypeError(`has more than ${longestPattern} characters`)
  try {
    const compiled = RE2JS.compile(pattern)
    return (text) => text.length <= longestText && compiled.matches(text)
  } catch (error) {
    throw new TypeError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
