/** Places in the indices that users are browsed by. Each query reads one index, from where it is asked to and as far as it is asked to. */
import type { Collection, Db, Filter } from 'mongodb'
import type { UserClue, UserCondition, UserPlace } from '#src/domain/users/browse.ts'
import { searchedBytes } from '#src/domain/users/search.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { pathOf } from './metadata.ts'
import { tagOf } from './metadataTag.ts'
import { type UserDocument, usersOf } from './userDocument.ts'
import { userWordsOf, wordId } from './userWords.ts'

interface PlacesPage {
  readonly after?: UserPlace | undefined
  readonly limit: number
}

/** No character comes after this one. */
const beyond = (beginning: string) => `${beginning}\u{10ffff}`

/** How many places there are, up to `most`. */
export function countPlaces(database: Db, clue: UserClue, most: number): Promise<number> {
  if (clue.kind !== 'word') return usersOf(database).countDocuments(conditionOf(clue), { limit: most })
  return userWordsOf(database).countDocuments({ _id: { $gte: clue.beginning, $lt: beyond(clue.beginning) } }, { limit: most })
}

/** The places behind `after`. */
export async function placesOf(database: Db, clue: UserClue, { after, limit }: PlacesPage): Promise<readonly UserPlace[]> {
  if (clue.kind !== 'word') {
    const found = await placeQuery(usersOf(database), clue, after).limit(limit).toArray()
    return found.map(({ _id, user }) => ({ by: user?.createdAt.getTime() ?? '', id: _id }))
  }
  const from = after && String(after.by) >= clue.beginning ? wordId(String(after.by), after.id) : clue.beginning
  const words = userWordsOf(database).find({ _id: { $gt: from, $lt: beyond(clue.beginning) } }, { projection: { _id: 1 } })
  const found = await words.sort({ _id: 1 }).limit(limit).toArray()
  return found.map(({ _id }) => {
    const end = _id.indexOf('\0')
    return { by: _id.slice(0, end), id: _id.slice(end + 1) as UserId }
  })
}

/** The query that answers ids, with the time of creation where that is the order, from the index alone. */
export function placeQuery(users: Collection<UserDocument>, clue: UserCondition, after: UserPlace | undefined) {
  const condition = conditionOf(clue)
  if (clue.kind === 'metadata' || clue.kind === 'granted') {
    // Ids begin with the time, so that the newest come first.
    const older = after ? { _id: { $lt: after.id } } : {}
    return users.find({ ...condition, ...older }, { projection: { _id: 1 } }).sort({ _id: -1 })
  }
  const at = new Date(Number(after?.by ?? 0))
  const older = after ? { 'user.createdAt': { $lte: at }, $or: [{ 'user.createdAt': { $lt: at } }, { _id: { $lt: after.id } }] } : {}
  const query = { ...condition, ...older } as Filter<UserDocument>
  return users.find(query, { projection: { _id: 1, 'user.createdAt': 1 } }).sort({ 'user.createdAt': -1, _id: -1 })
}

/** What holds for a user's document. */
export function conditionOf(condition: UserCondition): Filter<UserDocument> {
  switch (condition.kind) {
    case 'everybody':
      return {}
    case 'state':
      return { 'user.state': condition.state }
    case 'type':
      return { 'user.kind': condition.type }
    case 'granted':
      return { 'user.roles.projectId': condition.projectId }
    case 'metadata': {
      const { key, value } = condition
      if (value === undefined) return { 'metadata.names': key }
      const tagged = { 'metadata.tags': tagOf({ key, value }) }
      // A tag has the beginning of a long value only.
      return value.byteLength < searchedBytes
        ? tagged
        : ({ ...tagged, [`${pathOf(key)}.value`]: Buffer.from(value) } as Filter<UserDocument>)
    }
  }
}
