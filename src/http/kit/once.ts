import type { Clock } from '#src/base/clock.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'

/** Remembers for a day which forms were sent: a browser that shows their answer again sends them again. */
export function createOnce(artifacts: Pick<ArtifactStore, 'insert' | 'remove'>, now: Clock) {
  const model = 'SentForm'
  const keptMs = 86_400_000
  return {
    /** Does what a form asks for; `false`, with nothing done, when it was sent before. Of many at once, one is done; what throws may be tried again. */
    async run(id: string, work: () => Promise<void> | void): Promise<boolean> {
      if (!(await artifacts.insert({ model, id, payload: {}, expiresAt: new Date(now().getTime() + keptMs) }))) return false
      try {
        await work()
      } catch (error) {
        await artifacts.remove(model, id)
        throw error
      }
      return true
    },
  }
}

export type Once = ReturnType<typeof createOnce>
