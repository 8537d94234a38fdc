import type { Clock } from '#src/base/clock.ts'
import { newObjectId } from '#src/base/ids.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { Artifact, ArtifactStore } from './store.ts'

/** Sessions of a user that ended all at once, as they were stored: only the engine reads them. */
export interface EndedSessions {
  readonly userId: string
  readonly sessions: readonly Artifact['payload'][]
}

export interface EndingsDeps {
  readonly artifacts: Pick<ArtifactStore, 'listByAccount' | 'removeByAccount' | 'put' | 'consume' | 'remove'>
  readonly now: Clock
}

export type Endings = ReturnType<typeof createEndings>

const model = 'EndedSessions'
/** Stands where other artifacts have a user, so that all of them are found. */
const owner = 'ended'
/** Whoever was not told by then has noticed. */
const lifetimeMs = 900_000

/** What ends a user's sessions and tokens, and keeps a note for the servers: a command has no time to wait for what applications answer. */
export function createEndings({ artifacts, now }: EndingsDeps) {
  return {
    /** Ends every session and token of a user, and notes which sessions there were. */
    async endAll(userId: string): Promise<void> {
      const sessions = (await artifacts.listByAccount('Session', userId)).map(({ payload }) => payload)
      if (sessions.length > 0) {
        const id = newObjectId(now())
        const expiresAt = new Date(now().getTime() + lifetimeMs)
        await artifacts.put({ model, id, payload: { id, userId, sessions, until: expiresAt.getTime() }, expiresAt, accountId: owner })
      }
      await artifacts.removeByAccount(userId)
    },

    /** What ended in any process and nobody has taken yet, for a quarter of an hour. Of many servers that ask, one gets it. */
    async take(): Promise<readonly EndedSessions[]> {
      const taken: EndedSessions[] = []
      for (const found of await artifacts.listByAccount(model, owner)) {
        const { id, until, ...ended } = payloadOf<EndedSessions & { readonly id: string; readonly until: number }>(found)
        if (found.consumedAt || until <= now().getTime() || !(await artifacts.consume(model, id, now()))) continue
        await artifacts.remove(model, id)
        taken.push(ended)
      }
      return taken
    },
  }
}
