import type { AuditEvent, AuditStore } from './events.ts'

/** So many wait at the most while the store is away; what comes then is lost, and said to be. */
const most = 10_000
const gatherMilliseconds = 100

export interface Gathering {
  /** Writes an event soon. */
  note(event: AuditEvent): void
  /** Writes what waits; answers when it is written. */
  flush(): Promise<void>
}

/**
 * Occurrences that are too many to be written one by one: a tenth of a second of them goes in one transaction. A process that is killed loses at most
 * that. Changes of a record are not among them: those are written together with the record.
 */
export function createGathering({ store, onFault }: { store: Pick<AuditStore, 'record'>; onFault: (error: unknown) => void }): Gathering {
  let waiting: AuditEvent[] = []
  let timer: NodeJS.Timeout | undefined

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const events = waiting
    waiting = []
    if (events.length === 0) return
    try {
      await store.record(events)
    } catch (error) {
      onFault(error)
      waiting = [...events, ...waiting].slice(0, most)
      schedule()
    }
  }

  function schedule() {
    timer ??= setTimeout(() => void flush(), gatherMilliseconds)
    timer.unref()
  }

  return {
    note(event) {
      if (waiting.length >= most) return
      waiting.push(event)
      schedule()
    },
    flush,
  }
}
