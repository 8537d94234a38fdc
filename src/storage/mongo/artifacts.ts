import type { Filter, UpdateFilter } from 'mongodb'
import type { Clock } from '#src/base/clock.ts'
import { mergedSession } from '#src/domain/sessions/merge.ts'
import type { Artifact, ArtifactStore, FoundArtifact, FoundToken } from '#src/domain/sessions/store.ts'
import type { Connection } from './connection.ts'
import { inserted, RaceLost } from './failures.ts'

/** An expired artifact is still answered for this long: the engine judges expiry itself, with a tolerance for clocks. */
export const graceSeconds = 60

/** The payload is JSON text: its keys may be anything, which field names may not. */
interface ArtifactDocument extends Omit<Artifact, 'id' | 'payload'> {
  readonly _id: string
  readonly payload: string
  readonly consumedAt?: Date
  /** Counts the writes, so that a session is written on the condition that it is what was merged. */
  readonly version: number
  /** Microseconds since the epoch, of the first write. */
  readonly order: number
}

type Stored = Pick<ArtifactDocument, 'payload' | 'consumedAt' | 'expiresAt'>

const keyOf = (model: string, id: string) => `${model}:${id}`

const orderNow = () => Math.round((performance.timeOrigin + performance.now()) * 1000)

/**
 * All models are in one collection: what belongs to a user or to a grant goes by one command, a token finds its grant and its session in
 * one read, one TTL index clears up, and hashed ids spread all of it over the shards alike.
 */
export function createArtifactStore(connection: Connection, now: Clock): ArtifactStore {
  const artifacts = connection.database.collection<ArtifactDocument>('artifacts')
  const horizon = () => new Date(now().getTime() - graceSeconds * 1000)
  const answered = { projection: { payload: 1, consumedAt: 1, expiresAt: 1 } } as const

  // The TTL index deletes once a minute or later, so what has expired is still there and is told apart here.
  const isLive = ({ expiresAt }: Stored) => expiresAt === undefined || expiresAt > horizon()

  /** The newest live one. There are two for a moment at most: while an id changes. */
  const newest = (filter: Filter<ArtifactDocument>) =>
    connection.run(async () => {
      const stored = (await artifacts.find(filter, answered).sort({ order: -1 }).toArray()).find(isLive)
      return stored && foundOf(stored)
    })

  async function putMerged(artifact: Artifact): Promise<void> {
    const _id = keyOf(artifact.model, artifact.id)
    const stored = await artifacts.findOne({ _id }, { projection: { payload: 1, version: 1 } })
    if (stored) {
      const merged = { ...artifact, payload: mergedSession(artifact.payload, JSON.parse(stored.payload)) }
      const { matchedCount } = await artifacts.updateOne({ _id, version: stored.version }, replacing(merged))
      if (matchedCount === 0) throw new RaceLost()
    } else if (!(await inserted(artifacts.insertOne(documentOf(artifact))))) throw new RaceLost()
  }

  async function consumeNow(model: string, id: string, at: Date): Promise<boolean> {
    const unused = { _id: keyOf(model, id), consumedAt: { $exists: false }, expiresAt: { $not: { $lte: horizon() } } }
    const { matchedCount } = await artifacts.updateOne(unused, { $set: { consumedAt: at } })
    return matchedCount > 0
  }

  return {
    find: (model, id) =>
      connection.run(async () => {
        const stored = await artifacts.findOne({ _id: keyOf(model, id) }, answered)
        return stored && isLive(stored) ? foundOf(stored) : undefined
      }),

    findByUid: (model, uid) => newest({ model, uid }),

    findToken: (model, id) =>
      connection.run(async () => {
        const [token] = await artifacts
          .aggregate<Stored & { grant: Stored[]; session: Stored[] }>(withGrantAndSession(keyOf(model, id)))
          .toArray()
        return token && isLive(token) ? tokenOf(token) : undefined
      }),

    listByAccount: (model, accountId) =>
      connection.run(async () => {
        const stored = await artifacts.find({ accountId, model }, answered).sort({ order: 1 }).toArray()
        return stored.filter(isLive).map(foundOf)
      }),

    list: (model, { after = '', limit }) =>
      connection.run(async () => {
        const ids = { $gt: keyOf(model, after), $lt: `${model};` }
        const unexpired = { _id: ids, expiresAt: { $not: { $lte: horizon() } } }
        return (await artifacts.find(unexpired, answered).sort({ _id: 1 }).limit(limit).toArray()).map(foundOf)
      }),

    findByUserCode: (model, userCode) => newest({ model, userCode }),

    // A used artifact stays used, whatever is written over it: the writer may have read it before it was.
    put: (artifact) =>
      connection.run(async () => {
        const update = { ...replacing(artifact), $setOnInsert: { order: orderNow() } }
        await artifacts.updateOne({ _id: keyOf(artifact.model, artifact.id) }, update, { upsert: true })
      }),

    putSession: (artifact) => connection.change(keyOf(artifact.model, artifact.id), () => putMerged(artifact)),

    insert: (artifact) =>
      connection.run(async () => {
        const document = documentOf(artifact)
        if (await inserted(artifacts.insertOne(document))) return true
        const { matchedCount } = await artifacts.replaceOne({ _id: document._id, expiresAt: { $lte: now() } }, document)
        return matchedCount > 0
      }),

    consume: (model, id, at) => connection.run(() => consumeNow(model, id, at)),

    // The first write decides who of many it is. Whoever is killed before the second has to ask for a new one, and nothing is given twice.
    exchange: (model, id, given, at) =>
      connection.run(async () => {
        const used = await consumeNow(model, id, at)
        if (used && given.length > 0) await artifacts.insertMany(given.map(documentOf))
        return used
      }),

    remove: (model, id) =>
      connection.run(async () => {
        await artifacts.deleteOne({ _id: keyOf(model, id) })
      }),

    removeByGrant: (model, grantId) =>
      connection.run(async () => {
        await artifacts.deleteMany({ grantId, model })
      }),

    removeByAccount: (accountId) =>
      connection.run(async () => {
        await artifacts.deleteMany({ accountId })
      }),
  }
}

function documentOf({ id, payload, ...artifact }: Artifact): ArtifactDocument {
  return { ...artifact, _id: keyOf(artifact.model, id), payload: JSON.stringify(payload), version: 1, order: orderNow() }
}

/** Everything but whether it was used, and when it was made. */
function replacing({ model, payload, expiresAt, grantId, uid, userCode, accountId }: Artifact): UpdateFilter<ArtifactDocument> {
  const optional = { expiresAt, grantId, uid, userCode, accountId }
  const absent = Object.entries(optional).filter(([, value]) => value === undefined)
  return {
    $set: { model, payload: JSON.stringify(payload), ...optional },
    $unset: Object.fromEntries(absent.map(([name]) => [name, ''])),
    $inc: { version: 1 },
  }
}

/** No id is missing, so a token without a grant finds none. Without a `uid` it would find every session that has none either, hence the text. */
const withGrantAndSession = (_id: string) => [
  { $match: { _id } },
  {
    $project: {
      payload: 1,
      consumedAt: 1,
      expiresAt: 1,
      grantKey: { $concat: ['Grant:', '$grantId'] },
      sessionUid: { $ifNull: ['$uid', ''] },
    },
  },
  { $lookup: { from: 'artifacts', localField: 'grantKey', foreignField: '_id', as: 'grant' } },
  {
    $lookup: {
      from: 'artifacts',
      localField: 'sessionUid',
      foreignField: 'uid',
      pipeline: [{ $match: { model: 'Session' } }, { $sort: { order: -1 } }, { $limit: 1 }],
      as: 'session',
    },
  },
]

function tokenOf({ grant: [grant], session: [session], ...token }: Stored & { grant: Stored[]; session: Stored[] }): FoundToken {
  return {
    token: foundOf(token),
    ...(grant && { grant: foundOf(grant) }),
    ...(session && { session: foundOf(session) }),
  }
}

function foundOf({ payload, consumedAt }: Stored): FoundArtifact {
  const found = { payload: JSON.parse(payload) as Record<string, unknown> }
  return consumedAt === undefined ? found : { ...found, consumedAt }
}
