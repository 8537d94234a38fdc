import type { Clock } from '#src/base/clock.ts'
import { newObjectId } from '#src/base/ids.ts'
import type { Actor, AuditEvent, EventPayloads, EventType, Subject } from './events.ts'

/** Makes events: the one place that stamps them with an id and the time. */
export type Recorder = ReturnType<typeof createRecorder>

export function createRecorder({ now }: { now: Clock }) {
  return {
    now,
    /** A new event of `type` about `subject`, not yet written. */
    event<T extends EventType>(type: T, actor: Actor, subject: Subject, payload: EventPayloads[T], sequence?: number): AuditEvent<T> {
      const at = now()
      return { id: newObjectId(at), type, at, actor, subject, sequence, payload }
    },
  }
}
