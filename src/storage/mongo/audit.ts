import type { ClientSession, Db } from 'mongodb'
import type { AuditEvent, AuditStore } from '#src/domain/audit/events.ts'
import type { Connection } from './connection.ts'

interface EventDocument extends Omit<AuditEvent, 'id'> {
  readonly _id: string
}

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

    list: (subject, { before, limit }) =>
      connection.run(async () => {
        const about = { 'subject.id': subject.id, 'subject.kind': subject.kind }
        const newestFirst = { at: -1, _id: -1 } as const
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
  }
}

const eventOf = ({ _id, ...event }: EventDocument): AuditEvent => ({ id: _id, ...event })
