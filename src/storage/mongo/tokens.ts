import type { Db } from 'mongodb'
import type { PersonalAccessToken, PersonalAccessTokenStore } from '#src/domain/users/store.ts'
import { UserNotFound } from '#src/domain/users/user.ts'
import { writeEvents } from './audit.ts'
import type { Connection } from './connection.ts'
import { usersOf } from './userDocument.ts'

interface TokenDocument extends Omit<PersonalAccessToken, 'id'> {
  readonly _id: string
}

export const tokensOf = (database: Db) => database.collection<TokenDocument>('personal_access_tokens')

const tokenOf = ({ _id, ...token }: TokenDocument): PersonalAccessToken => ({ id: _id, ...token })

export function createPersonalAccessTokenStore(connection: Connection): PersonalAccessTokenStore {
  const { database } = connection
  const tokens = tokensOf(database)

  return {
    insert: ({ id, ...token }, events) =>
      connection.change(token.userId, (transaction) =>
        transaction(async (session) => {
          // A write, not a read: a removal of the user at the same moment would not see the token otherwise, and leave it behind.
          const { matchedCount } = await usersOf(database).updateOne({ _id: token.userId }, { $inc: { version: 1 } }, { session })
          if (matchedCount === 0) throw new UserNotFound(token.userId)
          await tokens.insertOne({ _id: id, ...token }, { session })
          await writeEvents(database, events, session)
        }),
      ),

    findByHash: (hash) =>
      connection.run(async () => {
        const document = await tokens.findOne({ hash })
        return document ? tokenOf(document) : undefined
      }),

    list: (userId) => connection.run(async () => (await tokens.find({ userId }).sort({ createdAt: 1, _id: 1 }).toArray()).map(tokenOf)),

    remove: (userId, id, events) =>
      connection.change(userId, (transaction) =>
        transaction(async (session) => {
          const { deletedCount } = await tokens.deleteOne({ _id: id, userId }, { session })
          if (deletedCount > 0) await writeEvents(database, events, session)
          return deletedCount > 0
        }),
      ),
  }
}
