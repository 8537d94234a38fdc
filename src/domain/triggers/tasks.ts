/**
 * Runs of triggers that are to be done: kept until they are, in an order, so that nothing is lost when a server dies. What fails again and again becomes a dead letter,
 * which somebody can look at and have run once more.
 */
import { payloadOf } from '#src/base/payload.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import type { AppEvent } from './trigger.ts'

export interface Task {
  readonly id: string
  readonly app: string
  readonly trigger: string
  /** Of a scheduled trigger there is none. */
  readonly event?: Omit<AppEvent, 'app' | 'at'> & { readonly at: string }
  /** How often it has failed. */
  readonly failures: number
  /** Milliseconds since 1970 before which it is not tried again. */
  readonly notBefore: number
}

/** What was given up. */
export interface DeadLetter extends Task {
  readonly reason: string
  /** ISO 8601. */
  readonly failedAt: string
}

const taskModel = 'TriggerTask'
const deadModel = 'TriggerDeadLetter'
const keptMs = 30 * 24 * 3600_000
const pageSize = 200

export type Tasks = ReturnType<typeof createTasks>

export function createTasks({ artifacts }: { artifacts: Pick<ArtifactStore, 'insert' | 'put' | 'remove' | 'list'> }) {
  async function all<T extends Task>(model: string, isWanted: (task: T) => boolean): Promise<readonly T[]> {
    const found: T[] = []
    for (let after: string | undefined; ; ) {
      const page = await artifacts.list(model, { limit: pageSize, ...(after !== undefined && { after }) })
      const tasks = page.map(payloadOf<T>)
      found.push(...tasks.filter(isWanted))
      if (tasks.length < pageSize) return found
      after = tasks.at(-1)?.id
    }
  }

  const ofTrigger =
    (app: string, trigger: string) =>
    (task: Task): boolean =>
      task.app === app && task.trigger === trigger

  return {
    /** Keeps a task, unless there is one of that id. */
    add: (task: Task): Promise<boolean> => artifacts.insert({ model: taskModel, id: task.id, payload: { ...task } }),
    put: (task: Task): Promise<void> => artifacts.put({ model: taskModel, id: task.id, payload: { ...task } }),
    remove: ({ id }: Task): Promise<void> => artifacts.remove(taskModel, id),
    /** In the order of their ids. */
    list: (): Promise<readonly Task[]> => all<Task>(taskModel, () => true),

    /** Gives a task up. */
    async bury(task: Task, reason: string, at: Date): Promise<void> {
      const letter: DeadLetter = { ...task, reason, failedAt: at.toISOString() }
      await artifacts.put({ model: deadModel, id: task.id, payload: { ...letter }, expiresAt: new Date(at.getTime() + keptMs) })
      await artifacts.remove(taskModel, task.id)
    },

    /** What was given up of everything, the oldest first. */
    listAllDead: (): Promise<readonly DeadLetter[]> => all<DeadLetter>(deadModel, () => true),

    /** What was given up of a trigger, the oldest first. */
    listDead: (app: string, trigger: string): Promise<readonly DeadLetter[]> => all<DeadLetter>(deadModel, ofTrigger(app, trigger)),

    /** What was given up of all triggers of an app, the oldest first. */
    listDeadOf: (app: string): Promise<readonly DeadLetter[]> => all<DeadLetter>(deadModel, (task) => task.app === app),

    /** Has everything that was given up of a trigger run once more; answers how much that is. */
    async revive(app: string, trigger: string): Promise<number> {
      const letters = await all<DeadLetter>(deadModel, ofTrigger(app, trigger))
      for (const { reason: _, failedAt: __, ...task } of letters) {
        await artifacts.insert({ model: taskModel, id: task.id, payload: { ...task, failures: 0, notBefore: 0 } })
        await artifacts.remove(deadModel, task.id)
      }
      return letters.length
    },
  }
}
