/**
 * The words that users are found by, a document each: a list of users is read in the order of the words, from where the last page ended, which
 * an array inside the user's document could not give.
 */
import type { ClientSession, Db } from 'mongodb'
import type { User, UserId } from '#src/domain/users/user.ts'
import { indexedWordsOf } from '#src/domain/users/words.ts'

interface WordDocument {
  /** The word, a zero byte (which no word has), and the user's id. */
  readonly _id: string
  readonly userId: UserId
}

type Named = Pick<User, 'username' | 'profile'>

export const userWordsOf = (database: Db) => database.collection<WordDocument>('user_words')

/** The id of the document of a word of a user. */
export const wordId = (word: string, userId: string) => `${word}\0${userId}`

export const wordDocumentsOf = (userId: UserId, user: Named): readonly WordDocument[] =>
  indexedWordsOf(user).map((word) => ({ _id: wordId(word, userId), userId }))

/**
 * Keeps the words of a user what they are, as part of the transaction of `session`. `before` is the user until now, `after` the one from now on. A word
 * that an older version made in another way stays behind; whoever browses asks the user.
 */
export async function replaceWords(
  database: Db,
  id: UserId,
  before: Named | undefined,
  after: Named | undefined,
  session: ClientSession,
): Promise<void> {
  if (before && after && before.username === after.username && before.profile === after.profile) return
  const old = new Set(before && indexedWordsOf(before))
  const words = after ? wordDocumentsOf(id, after) : []
  const kept = new Set(words.map(({ _id }) => _id))
  const gone = [...old].map((word) => wordId(word, id)).filter((_id) => !kept.has(_id))
  const added = words.filter(({ _id }) => !old.has(_id.slice(0, -id.length - 1)))
  const collection = userWordsOf(database)
  if (gone.length > 0) await collection.deleteMany({ _id: { $in: gone }, userId: id }, { session })
  if (added.length > 0) await collection.insertMany([...added], { session })
}
