/** The audit trail as SQL: each statement reads one index, or one for each type, from where it is asked to and as far as it is asked to. */
import type { SQLInputValue } from 'node:sqlite'
import type { EventType, TrailCondition, TrailPeriod, TrailPlace } from '#src/domain/audit/events.ts'

interface Sql {
  readonly sql: string
  readonly parameters: readonly SQLInputValue[]
}

/** As the index has it: the kind, and the id of a user. */
const actorKey = "((actor ->> '$.kind') || ' ' || coalesce(actor ->> '$.id', ''))"

const joined = (parts: readonly Sql[]): Sql => ({
  sql: ['true', ...parts.map(({ sql }) => sql)].join(' AND '),
  parameters: parts.flatMap(({ parameters }) => parameters),
})

function conditionOf(condition: TrailCondition): Sql {
  switch (condition.kind) {
    case 'types':
      return { sql: 'type IN (SELECT value FROM json_each(?))', parameters: [JSON.stringify(condition.types)] }
    case 'actor': {
      const { actor } = condition
      return { sql: `${actorKey} = ?`, parameters: [actor.kind === 'user' ? `user ${actor.id}` : `${actor.kind} `] }
    }
    case 'subject':
      return { sql: 'subject_kind = ? AND subject_id = ?', parameters: [condition.subject.kind, condition.subject.id] }
  }
}

/** All of `conditions`, of a row that is found already. */
export const conditionsOf = (conditions: readonly TrailCondition[]) => joined(conditions.map(conditionOf))

const within = ({ from, to }: TrailPeriod): readonly Sql[] => [
  ...(from ? [{ sql: 'at >= ?', parameters: [from.getTime()] }] : []),
  ...(to ? [{ sql: 'at < ?', parameters: [to.getTime()] }] : []),
]

/** The statement that answers how many there are, up to `most`. */
export function countOfPlaces(condition: TrailCondition, period: TrailPeriod, most: number): Sql {
  const { sql, parameters } = joined([conditionOf(condition), ...within(period)])
  return { sql: `SELECT count(*) FROM (SELECT 1 FROM events WHERE ${sql} LIMIT ?)`, parameters: [...parameters, most] }
}

/** The statement that answers how many events of some types there are. */
export function countOf({ types, ...period }: { readonly types: readonly EventType[] } & TrailPeriod): Sql {
  const { sql, parameters } = joined([conditionOf({ kind: 'types', types }), ...within(period)])
  return { sql: `SELECT count(*) FROM events WHERE ${sql}`, parameters }
}

/** The statement that answers time and number of the newest. Several types are merged, each read no further than is needed. */
export function placesOf(
  condition: TrailCondition | undefined,
  period: TrailPeriod,
  { after, limit }: { readonly after?: TrailPlace | undefined; readonly limit: number },
): Sql {
  const older = after ? [{ sql: '(at, number) < (?, ?)', parameters: [after.at, after.id] }] : []
  const bounds = [...within(period), ...older]
  const ways = waysOf(condition).map((way) => joined([...way, ...bounds]))
  return {
    sql: `${ways.map(({ sql }) => `SELECT at, number FROM events WHERE ${sql}`).join(' UNION ALL ')} ORDER BY at DESC, number DESC LIMIT ?`,
    parameters: [...ways.flatMap(({ parameters }) => parameters), limit],
  }
}

/** The parts of an index that together have what a condition finds. */
function waysOf(condition: TrailCondition | undefined): readonly (readonly Sql[])[] {
  if (!condition) return [[]]
  if (condition.kind !== 'types') return [[conditionOf(condition)]]
  if (condition.types.length === 0) return [[{ sql: 'false', parameters: [] }]]
  return condition.types.map((type) => [{ sql: 'type = ?', parameters: [type] }])
}
