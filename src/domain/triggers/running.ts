import type { Clock } from '#src/base/clock.ts'
import { Busy } from '#src/base/errors.ts'
import type { AppView } from '../apps/app.ts'
import type { Apps } from '../apps/apps.ts'
import type { CallFunction } from '../apps/functions.ts'
import type { AppUser, systemUser, userObjectOf } from '../apps/userObject.ts'
import type { AuditStore } from '../audit/events.ts'
import type { Following } from '../audit/following.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { Lease } from '../sessions/lease.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import type { CustomDataOf } from '../userdata/customData.ts'
import type { UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { LastRuns } from './lastRuns.ts'
import type { Leavers } from './leavers.ts'
import type { Task, Tasks } from './tasks.ts'
import { appEventOf, runningTriggers, triggersFor } from './trigger.ts'

export interface TriggersDeps {
  readonly apps: Pick<Apps, 'list'>
  readonly users: Pick<Users, 'find'>
  readonly leavers: Leavers
  readonly customDataOf: CustomDataOf
  readonly callFunction: CallFunction
  readonly userObject: typeof userObjectOf
  readonly system: typeof systemUser
  readonly following: Following
  readonly lease: Lease
  readonly tasks: Tasks
  readonly lastRuns: Pick<LastRuns, 'note' | 'write'>
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put'>
  /** The first moment after another that a schedule names. */
  readonly nextMoment: (schedule: string, after: Date) => Date | undefined
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  /** Told of each attempt that failed. */
  readonly onFailure: (
    facts: { readonly app: string; readonly trigger: string; readonly attempt: number; readonly givenUp: boolean },
    error: unknown,
  ) => void
  /** Told of what nobody expected. */
  readonly onFault: (error: unknown) => void
  readonly now: Clock
}

const lookEveryMs = 1000
const atOnce = 100
/** So many functions of triggers run at a time: the rest of the threads is for people who wait. */
const mostRunning = 3
/** Pauses before the second attempt, the third and so on. */
const pausesMs = [1000, 5000, 30_000, 120_000, 600_000]
/** A time that is missed by more is skipped by triggers that say so. */
const lateMs = 2 * 60_000

const clockModel = 'TriggerClock'

/**
 * Runs authentication triggers, at least once for each event and in order for each user, and scheduled triggers, once for each time. Of several servers one does it;
 * where it stands is kept in the store, so that another goes on when it is gone. A function that fails is tried again after longer and longer pauses, while what came
 * after it for the same user waits; after the last it is a dead letter. `stop` it when the server goes.
 */
export function runTriggers(deps: TriggersDeps): { stop(): Promise<void> } {
  const { apps, following, lease, tasks, lastRuns, artifacts, nextMoment, onFault, now } = deps
  const runTask = createRunTask(deps)
  let isStopping = false
  let working: Promise<void> | undefined

  async function work(): Promise<void> {
    for (let isBusy = true; isBusy && !isStopping; ) {
      const views = await apps.list()
      const some = (type: 'AUTHENTICATION' | 'SCHEDULED') => views.some((view) => runningTriggers(view, type).length > 0)
      const [isTold, isScheduled] = [some('AUTHENTICATION'), some('SCHEDULED')]
      if (!isTold) await following.end()
      if ((!isTold && !isScheduled) || !(await lease.hold())) return
      if (isTold) await takeEvents(views)
      if (isScheduled) await takeTimes(views)
      isBusy = await runAll(await tasks.list(), views)
      await lastRuns.write()
    }
  }

  async function takeEvents(views: readonly AppView[]): Promise<void> {
    const { events, number, pass } = await following.read(atOnce)
    for (const [index, recorded] of events.entries()) {
      const { app, at, ...event } = appEventOf(recorded)
      const view = views.find((each) => each.app.id === app)
      for (const [trigger] of view ? triggersFor(view, event) : []) {
        const id = `${String(number + index).padStart(16, '0')} ${app} ${trigger}`
        await tasks.add({ id, app, trigger, event: { ...event, at: at.toISOString() }, failures: 0, notBefore: 0 })
      }
    }
    await pass()
  }

  async function takeTimes(views: readonly AppView[]): Promise<void> {
    for (const view of views) {
      for (const [trigger, { config }] of runningTriggers(view, 'SCHEDULED')) {
        const app = view.app.id
        const id = `${app} ${trigger}`
        const { schedule } = config
        const { after, schedule: before } = ((await artifacts.find(clockModel, id))?.payload ?? {}) as { after?: string; schedule?: string }
        const at = now()
        // A trigger that is new, or has another schedule, begins now.
        const since = after === undefined || before !== schedule ? at : new Date(after)
        const due = nextMoment(schedule ?? '', since)
        if (due && due <= at) {
          const isLate = at.getTime() - due.getTime() > lateMs
          if (!(isLate && config.skip_catchup_events === true))
            await tasks.add({ id: `${id} ${due.toISOString()}`, app, trigger, failures: 0, notBefore: 0 })
        } else if (since !== at) continue
        await artifacts.put({ model: clockModel, id, payload: { after: at.toISOString(), schedule } })
      }
    }
  }

  /** Runs what is due, each queue in its order; answers whether anything was. */
  async function runAll(waiting: readonly Task[], views: readonly AppView[]): Promise<boolean> {
    const queues = new Map<string, Task[]>()
    for (const task of waiting) {
      const queue = task.event ? `${task.app} ${task.event.userId}` : `${task.app} ${task.trigger}`
      queues.set(queue, [...(queues.get(queue) ?? []), task])
    }
    let ran = 0
    const left = [...queues.values()]
    const next = async (): Promise<void> => {
      for (let queue = left.shift(); queue; queue = left.shift()) {
        for (const task of queue) {
          if (isStopping || task.notBefore > now().getTime()) break
          ran += 1
          const view = views.find(({ app }) => app.id === task.app)
          if (!(await runTask(task, view, () => isStopping))) break
        }
      }
    }
    await Promise.all(Array.from({ length: mostRunning }, next))
    return ran > 0
  }

  const timer = setInterval(() => {
    // A function that takes long must not cost the lease, nor hide what others came to.
    if (working) return void lease.hold().then(lastRuns.write).catch(onFault)
    working = work()
      .catch(onFault)
      .finally(() => {
        working = undefined
      })
  }, lookEveryMs)
  timer.unref()

  return {
    async stop() {
      isStopping = true
      await working
      clearInterval(timer)
      await lastRuns.write()
      await lease.release()
    },
  }
}

/** Runs a task once and writes what came of it; answers whether it is done with, so that the next one of its queue may run. */
function createRunTask({
  users,
  leavers,
  customDataOf,
  callFunction,
  userObject,
  system,
  tasks,
  lastRuns,
  audit,
  recorder,
  onFailure,
  now,
}: TriggersDeps): (task: Task, view: AppView | undefined, isStopping: () => boolean) => Promise<boolean> {
  async function userOf(view: AppView, { userId, providers }: NonNullable<Task['event']>): Promise<AppUser> {
    const user = await users.find(userId as UserId)
    const { document } = await customDataOf(view, userId)
    if (user?.identities?.some(({ app }) => app === view.app.id)) return userObject(user, view.app.id, document)
    const left = (await leavers.find(userId, view.app.id)) ?? {
      id: userId,
      type: 'normal',
      data: {},
      identities: providers.map((provider_type) => ({ id: '', provider_type })),
    }
    return { ...left, custom_data: document ?? {} }
  }

  async function call(view: AppView, name: string, { event }: Task): Promise<void> {
    const told = event && {
      operationType: event.operationType,
      providers: event.providers,
      user: await userOf(view, event),
      time: new Date(event.at),
    }
    await callFunction({ view, name, arguments: told ? [told] : [], user: system })
  }

  return async (task, view, isStopping) => {
    const trigger = view?.configuration.triggers.get(task.trigger)
    if (!view || !trigger || trigger.disabled || trigger.function_name === undefined) {
      await tasks.remove(task)
      return true
    }
    const began = now()
    const note = (outcome: { readonly reason?: string }) =>
      lastRuns.note(task.app, task.trigger, {
        at: began.toISOString(),
        milliseconds: now().getTime() - began.getTime(),
        attempt: task.failures + 1,
        ...outcome,
      })
    try {
      await call(view, trigger.function_name, task)
      note({})
      await tasks.remove(task)
      return true
    } catch (error) {
      // Nothing of its own doing: it is as it was for whoever goes on.
      if (isStopping() || error instanceof Busy) return false
      // The next time is a scheduled trigger's second attempt.
      const pause = task.event ? pausesMs[task.failures] : undefined
      const givenUp = pause === undefined
      const facts = { app: view.app.clientAppId, trigger: task.trigger, attempt: task.failures + 1, givenUp }
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, 500)
      onFailure(facts, error)
      note({ reason })
      const { app: _, ...told } = facts
      await audit.record([recorder.event('trigger.failed', { kind: 'system' }, { kind: 'app', id: view.app.id }, { ...told, reason })])
      if (givenUp) await tasks.bury({ ...task, failures: task.failures + 1 }, reason, now())
      else await tasks.put({ ...task, failures: task.failures + 1, notBefore: now().getTime() + pause })
      return givenUp
    }
  }
}
