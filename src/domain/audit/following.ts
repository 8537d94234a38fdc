import type { ArtifactStore } from '../sessions/store.ts'
import type { AuditEvent, AuditStore, EventType } from './events.ts'

/** Events that somebody is to be told of, from a moment on; where they stand is kept in the store, so that whoever goes on misses none. */
export interface Following {
  /** Notes the moment from which somebody is to be told, unless somebody is told already; to be called again once it is written that they are. */
  begin(): Promise<() => Promise<void>>
  /** The events after those that were passed, oldest first; `number` is the first one's, and goes up by one with each. Until `pass` the same are read again. */
  read(limit: number): Promise<{ readonly events: readonly AuditEvent[]; readonly number: number; readonly pass: () => Promise<void> }>
  /** Nobody is told any more: whoever is from now on is not told what was before. */
  end(): Promise<void>
}

const model = 'ActionCursor'

export function createFollowing({
  audit,
  artifacts,
  id,
  types,
}: {
  readonly audit: Pick<AuditStore, 'since'>
  readonly artifacts: Pick<ArtifactStore, 'find' | 'insert' | 'put' | 'remove'>
  readonly id: string
  readonly types: readonly EventType[]
}): Following {
  // Numbers begin above those of any time before.
  const first = () => Date.now() * 1000

  return {
    async begin() {
      const { cursor } = await audit.since(undefined, types, 1)
      const keep = async () => {
        await artifacts.insert({ model, id, payload: { cursor, number: first() } })
      }
      await keep()
      return keep
    },

    async read(limit) {
      const { cursor, number = first() } = ((await artifacts.find(model, id))?.payload ?? {}) as { cursor?: string; number?: number }
      const { events, cursor: next } = await audit.since(cursor, types, limit)
      const pass = async () => {
        if (next !== cursor) await artifacts.put({ model, id, payload: { cursor: next, number: number + events.length } })
      }
      return { events, number, pass }
    },

    async end() {
      if (await artifacts.find(model, id)) await artifacts.remove(model, id)
    },
  }
}
