import type { ClientSession, Db } from 'mongodb'
import type { AuditEvent, AuditStore, Change } from '#src/domain/audit/events.ts'
import type { Connection } from './connection.ts'
import { conditionOf, type EventDocument, newestFirst, placeFilter } from './trail.ts'

/** Where a reader of all events stands: the time of the newest, and the ids of those that are so new that others may still come before them. */
interface Cursor {
  readonly at: number
  readonly ids: readonly string[]
}

const latenessMs = 6000

const eventsOf = (database: Db) => database.collection<EventDocument>('events')

/** Writes events as part of the transaction of `session`. */
export async function writeEvents(database: Db, events: readonly AuditEvent[], session?: ClientSession): Promise<void> {
  if (events.length === 0) return
  await eventsOf(database).insertMany(
    events.map(({ id, ...event }) => ({ _id: id, ...event })),
    { session },
  )
}

/**
 * The newest event is the one of the latest time, and of the greatest id among those of one moment: ids of one process grow. Between
 * processes the order is as good as their clocks; `sequence` tells the true order of changes to one user.
 */
export function createAuditStore(connection: Connection): AuditStore {
  const { database } = connection
  const events = eventsOf(database)

  return {
    record(recorded) {
      if (recorded.length < 2) return connection.run(() => writeEvents(database, recorded))
      return connection.change(`events ${recorded[0]?.subject.id}`, (transaction) =>
        transaction((session) => writeEvents(database, recorded, session)),
      )
    },

    since: (cursor, types, limit) =>
      connection.run(async () => {
        const { at, ids } = cursor === undefined ? { at: Date.now(), ids: [] } : (JSON.parse(cursor) as Cursor)
        const ofTypes = { type: { $in: [...types] } }
        /** What is so new that another may still come before it. */
        const recent = async (newest: number, known?: readonly string[]) => {
          const window = { ...ofTypes, at: { $gte: new Date(newest - latenessMs) }, ...(known && { _id: { $in: [...known] } }) }
          return (await events.find(window, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id)
        }
        if (cursor === undefined) return { events: [], cursor: JSON.stringify({ at, ids: await recent(at) } satisfies Cursor) }
        const unseen = { ...ofTypes, at: { $gte: new Date(at - latenessMs) }, _id: { $nin: [...ids] } }
        const found = (await events.find(unseen).sort({ at: 1, _id: 1 }).limit(limit).toArray()).map(eventOf)
        if (found.length === 0) return { events: found, cursor }
        const newest = Math.max(at, found.at(-1)?.at.getTime() ?? 0)
        const seen = await recent(newest, [...ids, ...found.map(({ id }) => id)])
        return { events: found, cursor: JSON.stringify({ at: newest, ids: seen } satisfies Cursor) }
      }),

    list: (subject, { before, limit }) =>
      connection.run(async () => {
        const about = { 'subject.id': subject.id, 'subject.kind': subject.kind }
        if (before === undefined) return (await events.find(about).sort(newestFirst).limit(limit).toArray()).map(eventOf)
        const last = await events.findOne({ _id: before, 'subject.id': subject.id }, { projection: { at: 1 } })
        if (!last) return []
        const older = { at: { $lte: last.at }, $or: [{ at: { $lt: last.at } }, { _id: { $lt: before } }] }
        return (
          await events
            .find({ ...about, ...older })
            .sort(newestFirst)
            .limit(limit)
            .toArray()
        ).map(eventOf)
      }),

    countPlaces: (condition, period, most) => connection.run(() => events.countDocuments(placeFilter(condition, period), { limit: most })),

    places: (condition, period, { after, limit }) =>
      connection.run(async () => {
        const found = events.find(placeFilter(condition, period, after), { projection: { at: 1 } })
        return (await found.sort(newestFirst).limit(limit).toArray()).map(({ _id, at }) => ({ at: at.getTime(), id: _id }))
      }),

    findAll: (places, conditions) =>
      connection.run(async () => {
        const asked = { _id: { $in: places.map(({ id }) => String(id)) } }
        const found = await events.find({ $and: [asked, ...conditions.map(conditionOf)] }).toArray()
        return found.map((document) => ({ place: { at: document.at.getTime(), id: document._id }, event: eventOf(document) }))
      }),

    count: ({ types, ...period }) => connection.run(() => events.countDocuments(placeFilter({ kind: 'types', types }, period))),

    changes: (userId, { beyond, ascending, limit }) =>
      connection.run(async () => {
        // The index has what has a number, and is taken where that is asked for.
        const numbered = { $exists: true, ...(beyond !== undefined && (ascending ? { $gt: beyond } : { $lt: beyond })) }
        const found = events.find({ 'subject.id': userId, 'subject.kind': 'user', sequence: numbered })
        const changes = await found
          .sort({ sequence: ascending ? 1 : -1 })
          .limit(limit)
          .toArray()
        return changes.map(eventOf) as Change[]
      }),
  }
}

const eventOf = ({ _id, ...event }: EventDocument): AuditEvent => ({ id: _id, ...event })
