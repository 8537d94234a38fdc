/** What became of the last runs of triggers, for people who look: a few of each, and no more than a hint, because what a server that dies has not written yet is lost. */
import type { ArtifactStore } from '../sessions/store.ts'

export interface TriggerRun {
  /** ISO 8601: when it began. */
  readonly at: string
  readonly milliseconds: number
  /** 1 for the first. */
  readonly attempt: number
  /** What the function threw; `undefined` when all went well. */
  readonly reason?: string
}

const model = 'TriggerRuns'
const mostKept = 10
const keptMs = 30 * 24 * 3600_000

export type LastRuns = ReturnType<typeof createLastRuns>

export function createLastRuns({ artifacts, now }: { artifacts: Pick<ArtifactStore, 'find' | 'put'>; now: () => Date }) {
  let unwritten = new Map<string, readonly TriggerRun[]>()

  async function read(id: string): Promise<readonly TriggerRun[]> {
    return ((await artifacts.find(model, id))?.payload.runs ?? []) as readonly TriggerRun[]
  }

  async function writeNoted(): Promise<void> {
    const noted = unwritten
    unwritten = new Map()
    for (const [id, runs] of noted) {
      const kept = [...runs, ...(await read(id))].slice(0, mostKept)
      await artifacts.put({ model, id, payload: { runs: kept }, expiresAt: new Date(now().getTime() + keptMs) })
    }
  }
  let writing = Promise.resolve()

  return {
    /** Notes a run, which is kept with the next `write`: a write for each of many runs would cost more than the runs. */
    note(app: string, trigger: string, run: TriggerRun): void {
      const id = `${app} ${trigger}`
      unwritten.set(id, [run, ...(unwritten.get(id) ?? [])].slice(0, mostKept))
    },

    /** Keeps what was noted, one write after another. */
    write(): Promise<void> {
      writing = writing.then(writeNoted, writeNoted)
      return writing
    },

    /** The last runs of a trigger, the newest first. */
    list: (app: string, trigger: string): Promise<readonly TriggerRun[]> => read(`${app} ${trigger}`),
  }
}
