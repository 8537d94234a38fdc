import type { AuditEvent, AuditStore, Change } from '#src/domain/audit/events.ts'
import type { Database } from './database.ts'
import { conditionsOf, countOf, countOfPlaces, placesOf } from './trail.ts'

interface EventRow {
  readonly id: string
  readonly subject_kind: AuditEvent['subject']['kind']
  readonly subject_id: string
  readonly sequence: number | null
  readonly type: AuditEvent['type']
  readonly actor: string
  readonly at: number
  readonly payload: string
}

/** Writes events as part of the transaction that is open. */
export function writeEvents(database: Database, events: readonly AuditEvent[]): void {
  for (const { id, subject, sequence, type, actor, at, payload } of events) {
    database.run(
      'INSERT INTO events (id, subject_kind, subject_id, sequence, type, actor, at, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      subject.kind,
      subject.id,
      sequence ?? null,
      type,
      JSON.stringify(actor),
      at.getTime(),
      JSON.stringify(payload),
    )
  }
}

const eventColumns = 'id, subject_kind, subject_id, sequence, type, actor, at, payload'

export function createAuditStore(database: Database): AuditStore {
  return {
    record: (events) => database.write(() => writeEvents(database, events)),

    since: (cursor, types, limit) =>
      database.readTogether(() => {
        const last = database.get<{ number: number | null }>('SELECT max(number) AS number FROM events')?.number ?? 0
        if (cursor === undefined) return { events: [], cursor: String(last) }
        const rows = database.all<EventRow & { number: number }>(
          `SELECT number, ${eventColumns} FROM events WHERE number > ? AND +type IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT ?`,
          Number(cursor),
          JSON.stringify(types),
          limit,
        )
        return { events: rows.map(eventOf), cursor: String(rows.length < limit ? last : rows.at(-1)?.number) }
      }),

    list: (subject, { before, limit }) =>
      database.read(() => {
        const about = `SELECT ${eventColumns} FROM events WHERE subject_kind = ? AND subject_id = ?`
        const newestFirst = 'ORDER BY at DESC, number DESC LIMIT ?'
        const rows =
          before === undefined
            ? database.all<EventRow>(`${about} ${newestFirst}`, subject.kind, subject.id, limit)
            : database.all<EventRow>(
                `${about} AND (at, number) < (SELECT at, number FROM events WHERE id = ?) ${newestFirst}`,
                subject.kind,
                subject.id,
                before,
                limit,
              )
        return rows.map(eventOf)
      }),

    countPlaces: (condition, period, most) =>
      database.read(() => {
        const { sql, parameters } = countOfPlaces(condition, period, most)
        return (database.rows(sql, ...parameters) as [number][])[0]?.[0] ?? 0
      }),

    places: (condition, period, page) =>
      database.read(() => {
        const { sql, parameters } = placesOf(condition, period, page)
        return (database.rows(sql, ...parameters) as [number, number][]).map(([at, id]) => ({ at, id }))
      }),

    findAll: (places, conditions) =>
      database.read(() => {
        const { sql, parameters } = conditionsOf(conditions)
        const rows = database.all<EventRow & { number: number }>(
          `SELECT number, ${eventColumns} FROM (SELECT value AS asked FROM json_each(?)) CROSS JOIN events ON number = asked WHERE ${sql}`,
          JSON.stringify(places.map(({ id }) => id)),
          ...parameters,
        )
        return rows.map((row) => ({ place: { at: row.at, id: row.number }, event: eventOf(row) }))
      }),

    count: (of) =>
      database.read(() => {
        const { sql, parameters } = countOf(of)
        return (database.rows(sql, ...parameters) as [number][])[0]?.[0] ?? 0
      }),

    changes: (userId, { beyond, ascending, limit }) =>
      database.read(() => {
        const [comparison, order, end] = ascending ? ['>', 'ASC', 0] : ['<', 'DESC', Number.MAX_SAFE_INTEGER]
        const rows = database.all<EventRow>(
          `SELECT ${eventColumns} FROM events WHERE subject_id = ? AND sequence ${comparison} ? AND subject_kind = 'user'
           ORDER BY sequence ${order} LIMIT ?`,
          userId,
          beyond ?? end,
          limit,
        )
        return rows.map(eventOf) as Change[]
      }),
  }
}

function eventOf(row: EventRow): AuditEvent {
  const event: AuditEvent = {
    id: row.id,
    type: row.type,
    at: new Date(row.at),
    actor: JSON.parse(row.actor),
    subject: { kind: row.subject_kind, id: row.subject_id },
    payload: JSON.parse(row.payload),
  }
  return row.sequence === null ? event : { ...event, sequence: row.sequence }
}
