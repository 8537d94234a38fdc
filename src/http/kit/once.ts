import type { Clock } from '#src/base/clock.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'

/** Remembers for a day which forms were sent: a browser that shows their answer again sends them again. */
export function createOnce(artifacts: Pick<ArtifactStore, 'insert' | 'remove'>, now: Clock) {
  const model = 'SentForm'
  const keptMs = 86_400_000
  return {
    /**
     * Does what a form asks for; `false`, with nothing done, when it was sent before. Of many at once, one is done. What throws, or says that it did nothing, may be sent again.
     * `work` tells whether it did something.
     */
    async run(id: string, work: () => Promise<boolean>): Promise<boolean> {
      if (!(await artifacts.insert({ model, id, payload: {}, expiresAt: new Date(now().getTime() + keptMs) }))) return false
      let isDone = false
      try {
        isDone = await work()
      } finally {
        if (!isDone) await artifacts.remove(model, id)
      }
      return true
    },
  }
}

export type Once = ReturnType<typeof createOnce>
