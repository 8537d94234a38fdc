/**
 * The words that a user is found by, of which a search gives beginnings. A store keeps them in an index (`indexedWordsOf`), written with the
 * user; what it finds is judged by the user themselves (`isFoundBy`), so that an index may be cruder than the words are.
 */
import { comparable, type User } from './user.ts'

/** Beginnings of this many characters are in the index. */
const indexedCharacters = 64

/** So many words of one user are looked at; beyond are those of names that were made to fill an index. */
const mostWords = 100

/** Between words. Characters that do not show join nothing; U+10FFFF is no character, and ends the ranges that stores look through. */
const blanks = /[\s\p{Cc}\p{Cf}\p{Cs}\u{10ffff}]+/u

/** Where a word begins, also behind punctuation: `jane.doe@acme.example` is four. */
const wordStarts = /(?<![\p{L}\p{N}\p{M}])[\p{L}\p{N}]/gu

/**
 * The words of the user name, the e-mail address and the names, in the form in which they are compared. A word goes on to the next blank, so that
 * the address as a whole is one, and so is what stands behind a dot of it.
 */
function wordsOf({ username, profile }: Pick<User, 'username' | 'profile'>): readonly string[] {
  const { email, givenName, familyName, nickName, displayName } = profile
  const words = new Set<string>()
  for (const text of [username, email, givenName, familyName, nickName, displayName]) {
    if (text === undefined) continue
    for (const chunk of comparable(text).split(blanks)) {
      if (chunk === '') continue
      words.add(chunk)
      for (const { index } of chunk.matchAll(wordStarts)) if (index > 0) words.add(chunk.slice(index))
    }
    if (words.size >= mostWords) break
  }
  return [...words].slice(0, mostWords)
}

const beginningOf = (word: string) => (word.length <= indexedCharacters ? word : [...word].slice(0, indexedCharacters).join(''))

/** What a store keeps of a user's words, each once. */
export const indexedWordsOf = (user: Pick<User, 'username' | 'profile'>): readonly string[] => [...new Set(wordsOf(user).map(beginningOf))]

/** What somebody has typed, as beginnings of words, the longest first: those tell the most. Punctuation before a word is not looked at. */
export function beginningsIn(text: string): readonly string[] {
  const chunks = comparable(text).split(blanks)
  const beginnings = chunks.map((chunk) => chunk.slice(Math.max(0, chunk.search(wordStarts)))).filter((each) => each !== '')
  return [...new Set(beginnings)].sort((a, b) => b.length - a.length)
}

/** The beginning as a store looks for it. */
export const indexedBeginning = beginningOf

/** Whether every one of `beginnings` is that of a word of the user, or the whole of their id. */
export function isFoundBy(user: User, beginnings: readonly string[]): boolean {
  if (beginnings.length === 0) return true
  const words = wordsOf(user)
  return beginnings.every((beginning) => beginning === user.id || words.some((word) => word.startsWith(beginning)))
}
