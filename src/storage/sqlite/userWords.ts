import type { User, UserId } from '#src/domain/users/user.ts'
import { indexedWordsOf } from '#src/domain/users/words.ts'
import type { Database } from './database.ts'

type Named = Pick<User, 'username' | 'profile'>

/** Teaches a connection the words of a user's document, as a JSON array: for the migration that writes them for everybody. */
export const defineWords = (database: Database) =>
  database.define('words_of', (document) => JSON.stringify(indexedWordsOf(JSON.parse(String(document)) as Named)))

/**
 * Keeps the words that a user is found by what they are, as part of the transaction that is open. `before` is the user until now, `after` the one from
 * now on. A word that an older version made in another way stays behind; whoever browses asks the user.
 */
export function replaceWords(database: Database, id: UserId, before: Named | undefined, after: Named | undefined): void {
  if (before && after && before.username === after.username && before.profile === after.profile) return
  const old = new Set(before && indexedWordsOf(before))
  const words = new Set(after && indexedWordsOf(after))
  for (const word of old) if (!words.has(word)) database.run('DELETE FROM user_words WHERE word = ? AND user_id = ?', word, id)
  for (const word of words) {
    if (!old.has(word)) database.run('INSERT OR IGNORE INTO user_words (word, user_id) VALUES (?, ?)', word, id)
  }
}
