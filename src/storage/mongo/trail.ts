/** The audit trail as MongoDB's queries: each reads one index, from where it is asked to and as far as it is asked to. */
import type { Filter } from 'mongodb'
import type { AuditEvent, TrailCondition, TrailPeriod, TrailPlace } from '#src/domain/audit/events.ts'

export interface EventDocument extends Omit<AuditEvent, 'id'> {
  readonly _id: string
}

type Conditions = Filter<EventDocument>

export function conditionOf(condition: TrailCondition): Conditions {
  switch (condition.kind) {
    case 'types':
      return { type: condition.types.length === 1 ? condition.types[0] : { $in: [...condition.types] } } as Conditions
    case 'actor': {
      const { actor } = condition
      // Who has no id has the place of nothing in the index.
      return { 'actor.kind': actor.kind, 'actor.id': actor.kind === 'user' ? actor.id : null } as Conditions
    }
    case 'subject':
      return { 'subject.id': condition.subject.id, 'subject.kind': condition.subject.kind }
  }
}

/** What a condition, or everything, finds in a period, behind `after`. */
export function placeFilter(condition: TrailCondition | undefined, { from, to }: TrailPeriod, after?: TrailPlace): Conditions {
  const last = after && new Date(after.at)
  const at = { ...(from && { $gte: from }), ...(to && { $lt: to }), ...(last && { $lte: last }) }
  return {
    ...(condition && conditionOf(condition)),
    ...(Object.keys(at).length > 0 && { at }),
    ...(after && last && { $or: [{ at: { $lt: last } }, { _id: { $lt: String(after.id) } }] }),
  } as Conditions
}

export const newestFirst = { at: -1, _id: -1 } as const
