import type { ClientSession } from 'mongodb'
import { metadataText } from '#src/domain/metadata/text.ts'
import { identityKeyOf } from '#src/domain/users/identity.ts'
import type { UserStore } from '#src/domain/users/store.ts'
import { comparable, IdentityTaken, type User, type UserId, UserIdTaken, UserNotFound, UsernameTaken } from '#src/domain/users/user.ts'
import { writeEvents } from './audit.ts'
import type { Connection } from './connection.ts'
import { RaceLost, refusing } from './failures.ts'
import { entriesOf, storedMetadata } from './metadata.ts'
import { tokensOf } from './tokens.ts'
import { conditionOf, countPlaces, placesOf } from './userBrowse.ts'
import { type UserDocument, userOf, usersOf, withUser } from './userDocument.ts'
import { filterOf, sortOf } from './userSearch.ts'
import { replaceWords } from './userWords.ts'

interface UsernameDocument {
  readonly _id: string
  readonly userId: UserId
}

interface IdentityDocument {
  readonly _id: string
  readonly app: string
  readonly userId: UserId
}

const withUserOfName = [
  { $lookup: { from: 'users', localField: 'userId', foreignField: '_id', pipeline: [{ $project: { metadata: 0 } }], as: 'user' } },
]

const keysOf = ({ identities = [] }: User) => identities.map(identityKeyOf).join('\n')

const found = (document: UserDocument | null) => (document ? userOf(document) : undefined)

export function createUserStore(connection: Connection): UserStore {
  const { database } = connection
  const users = usersOf(database)
  const usernames = database.collection<UsernameDocument>('usernames')
  const withoutMetadata = { projection: { metadata: 0 } } as const

  const identities = database.collection<IdentityDocument>('identities')

  async function putIdentities({ id, identities: own = [] }: User, session: ClientSession): Promise<void> {
    for (const identity of own) {
      const document = { _id: identityKeyOf(identity), app: identity.app, userId: id }
      await refusing(identities.insertOne(document, { session }), (cause) => new IdentityTaken({ cause }))
    }
  }

  async function existing(id: UserId): Promise<UserDocument> {
    const document = await users.findOne({ _id: id }, withoutMetadata)
    if (!document) throw new UserNotFound(id)
    return document
  }

  return {
    find: (id) => connection.run(async () => found(await users.findOne({ _id: id }, withoutMetadata))),

    findWithMetadata: (id) =>
      connection.run(async () => {
        const document = await users.findOne({ _id: id })
        return document ? { user: userOf(document), metadata: entriesOf(document.metadata) } : undefined
      }),

    findWithMetadataText: (id) =>
      connection.run(async () => {
        const document = await users.findOne({ _id: id })
        return document ? { user: userOf(document), metadata: metadataText(entriesOf(document.metadata)) } : undefined
      }),

    // By the collection of names, which a sharded cluster finds on one shard. Between its two steps somebody may take another name.
    findByUsername: (username) =>
      connection.run(async () => {
        const key = comparable(username)
        const [named] = await usernames.aggregate<{ user: UserDocument[] }>([{ $match: { _id: key } }, ...withUserOfName]).toArray()
        return found(named?.user.find(({ usernameKey }) => usernameKey === key) ?? null)
      }),

    findByVerifiedEmail: (email) =>
      connection.run(async () => {
        const cursor = users.find({ emailKey: comparable(email) }, withoutMetadata)
        return (await cursor.sort({ _id: 1 }).limit(2).toArray()).map(userOf)
      }),

    // Between its two steps somebody may part with the identity.
    findByIdentity: (identity) =>
      connection.run(async () => {
        const _id = identityKeyOf(identity)
        const [named] = await identities.aggregate<{ user: UserDocument[] }>([{ $match: { _id } }, ...withUserOfName]).toArray()
        const user = found(named?.user[0] ?? null)
        return user?.identities?.some((each) => identityKeyOf(each) === _id) ? user : undefined
      }),

    listByApp: (app, { after, limit, descending = false }) =>
      connection.run(async () => {
        const beyond = after === undefined ? {} : { userId: descending ? { $lt: after as UserId } : { $gt: after as UserId } }
        const direction = descending ? -1 : 1
        const pages = await identities
          .aggregate<{ user: UserDocument[] }>([
            { $match: { app, ...beyond } },
            { $sort: { userId: direction } },
            { $group: { _id: '$userId', userId: { $first: '$userId' } } },
            { $sort: { userId: direction } },
            { $limit: limit + 1 },
            ...withUserOfName,
          ])
          .toArray()
        const all = pages.flatMap(({ user }) => user.map(userOf))
        const items = all.slice(0, limit)
        return all.length > limit ? { items, next: items.at(-1)?.id } : { items }
      }),

    list: ({ after = '', limit }) =>
      connection.run(async () => {
        const cursor = users.find({ _id: { $gt: after as UserId } }, withoutMetadata)
        const documents = await cursor
          .sort({ _id: 1 })
          .limit(limit + 1)
          .toArray()
        const items = documents.slice(0, limit).map(userOf)
        return documents.length > limit ? { items, next: items.at(-1)?.id } : { items }
      }),

    search: (search) =>
      connection.run(async () => {
        const { offset, limit } = search
        const filter = filterOf(search.filter)
        const cursor = users.find(filter, withoutMetadata).sort(sortOf(search)).skip(offset)
        const found = (await cursor.limit(limit).toArray()).map(userOf)
        const isWhole = found.length < limit && (found.length > 0 || offset === 0)
        return { users: found, total: isWhole ? offset + found.length : await users.countDocuments(filter) }
      }),

    countPlaces: (clue, most) => connection.run(() => countPlaces(database, clue, most)),

    places: (clue, page) => connection.run(() => placesOf(database, clue, page)),

    findAll: (ids, conditions) =>
      connection.run(async () => {
        const filter = { $and: [{ _id: { $in: [...ids] } }, ...conditions.map(conditionOf)] }
        return (await users.find(filter, withoutMetadata).toArray()).map(userOf)
      }),

    // The whole is known to the collection; who is not active is counted along an index.
    countByState: () =>
      connection.run(async () => {
        const [all, inactive, locked] = await Promise.all([
          users.estimatedDocumentCount(),
          users.countDocuments({ 'user.state': 'inactive' }),
          users.countDocuments({ 'user.state': 'locked' }),
        ])
        return { active: Math.max(0, all - inactive - locked), inactive, locked }
      }),

    isEmpty: () => connection.run(async () => (await users.findOne({}, { projection: { _id: 1 } })) === null),

    insert: (user, metadata, events) =>
      connection.change(user.id, (transaction) =>
        transaction(async (session) => {
          const idTaken = (cause: unknown) => new UserIdTaken(user.id, { cause })
          const document = { _id: user.id, version: 1, metadata: storedMetadata(metadata), ...withUser(user).set }
          await refusing(users.insertOne(document, { session }), idTaken)
          await refusing(
            usernames.insertOne({ _id: document.usernameKey, userId: user.id }, { session }),
            (cause) => new UsernameTaken(user.username, { cause }),
          )
          await putIdentities(user, session)
          await replaceWords(database, user.id, undefined, user, session)
          // The history of a removed user stays, and its id with it: another user would continue it.
          await refusing(writeEvents(database, events, session), idTaken)
        }),
      ),

    update: (id, decide) =>
      connection.change(id, async (transaction) => {
        const document = await existing(id)
        const current = userOf(document)
        const change = decide(current)
        if (!change) return current
        const { user, events } = change
        const { set, unset } = withUser(user)
        await transaction(async (session) => {
          const { matchedCount } = await users.updateOne(
            { _id: id, version: document.version },
            { $set: set, $unset: unset, $inc: { version: 1 } },
            { session },
          )
          if (matchedCount === 0) throw new RaceLost()
          if (set.usernameKey !== document.usernameKey) {
            await usernames.deleteOne({ _id: document.usernameKey }, { session })
            await refusing(
              usernames.insertOne({ _id: set.usernameKey, userId: id }, { session }),
              (cause) => new UsernameTaken(user.username, { cause }),
            )
          }
          if (keysOf(user) !== keysOf(current)) {
            await identities.deleteMany({ _id: { $in: (current.identities ?? []).map(identityKeyOf) } }, { session })
            await putIdentities(user, session)
          }
          await replaceWords(database, id, current, user, session)
          await writeEvents(database, events, session)
        })
        return user
      }),

    remove: (id, decide) =>
      connection.change(id, async (transaction) => {
        const document = await existing(id)
        const user = userOf(document)
        const events = decide(user)
        await transaction(async (session) => {
          const { deletedCount } = await users.deleteOne({ _id: id, version: document.version }, { session })
          if (deletedCount === 0) throw new RaceLost()
          await usernames.deleteOne({ _id: document.usernameKey }, { session })
          await identities.deleteMany({ _id: { $in: (user.identities ?? []).map(identityKeyOf) } }, { session })
          await tokensOf(database).deleteMany({ userId: id }, { session })
          await replaceWords(database, id, user, undefined, session)
          await writeEvents(database, events, session)
        })
      }),
  }
}
