import { newObjectId, newSecret } from '#src/base/ids.ts'
import type { Actor } from '../audit/events.ts'
import type { Following } from '../audit/following.ts'
import type { Recorder } from '../audit/recorder.ts'
import { actionFunctions, type Condition, type Execution, ExecutionInvalid, type Target, TargetInvalid, TargetNotFound } from './action.ts'
import type { ActionStore } from './store.ts'

export interface TargetFields {
  readonly name: string
  readonly kind: Target['kind']
  readonly interruptOnError: boolean
  readonly endpoint: string
  readonly timeoutMs: number
}

export interface ActionsDeps {
  readonly store: ActionStore
  readonly recorder: Recorder
  readonly beginTelling: Following['begin']
  readonly seal: (secret: string, id: string) => string
  readonly unseal: (sealed: string, id: string) => string
}

export type Actions = ReturnType<typeof createActions>

/** ZITADEL's bounds. */
const longestTimeoutMs = 270_000
const mostTargets = 100

/** Targets and executions, for those who manage them. */
export function createActions({ store, recorder, beginTelling, seal, unseal }: ActionsDeps) {
  const about = (id: string) => ({ kind: 'target', id }) as const

  async function existing(id: string): Promise<Target> {
    const target = (await store.list()).targets.find((each) => each.id === id)
    if (!target) throw new TargetNotFound(id)
    return target
  }

  return {
    list: () => store.list(),
    get: existing,

    /** The key by which the calls of a target are signed. */
    signingKeyOf: ({ id, signingKeySealed }: Target): string => unseal(signingKeySealed, id),

    /** @throws TargetInvalid */
    async createTarget(fields: TargetFields, actor: Actor): Promise<Target> {
      assertAcceptable(fields)
      const at = recorder.now()
      const id = newObjectId(at)
      const target: Target = { ...fields, id, signingKeySealed: seal(newSecret(), id), createdAt: at, changedAt: at }
      await store.commit({ putTargets: [target], events: [recorder.event('target.created', actor, about(id), { name: target.name })] })
      return target
    },

    /** Changes what is named; `newKey` replaces the signing key at once. @throws TargetNotFound, TargetInvalid */
    async updateTarget(id: string, changes: Partial<TargetFields> & { readonly newKey?: boolean }, actor: Actor): Promise<Target> {
      const { newKey = false, ...fields } = changes
      const before = await existing(id)
      const target: Target = {
        ...before,
        ...fields,
        ...(newKey && { signingKeySealed: seal(newSecret(), id) }),
        changedAt: recorder.now(),
      }
      assertAcceptable(target)
      const changed = [...Object.keys(fields), ...(newKey ? ['signingKey'] : [])]
      await store.commit({ putTargets: [target], events: [recorder.event('target.changed', actor, about(id), { fields: changed })] })
      return target
    },

    /** Removes a target, and takes it out of every execution. Answers when, or nothing when there was none. */
    async removeTarget(id: string, actor: Actor): Promise<Date | undefined> {
      const { targets, executions } = await store.list()
      if (!targets.some((each) => each.id === id)) return undefined
      const at = recorder.now()
      const rest = executions
        .filter((each) => each.targets.includes(id))
        .map((each) => ({ ...each, targets: each.targets.filter((target) => target !== id), changedAt: at }))
      await store.commit({
        removeTargets: [id],
        putExecutions: rest.filter((each) => each.targets.length > 0),
        removeExecutions: rest.filter((each) => each.targets.length === 0).map(({ condition }) => condition),
        events: [recorder.event('target.removed', actor, about(id), {})],
      })
      return at
    },

    /** Says which targets are called for a condition: none ends it. @throws ExecutionInvalid */
    async setExecution(condition: Condition, targetIds: readonly string[], actor: Actor): Promise<Date> {
      assertKnown(condition)
      const { targets, executions } = await store.list()
      const unknown = targetIds.find((id) => !targets.some((each) => each.id === id))
      if (unknown !== undefined) throw new ExecutionInvalid(`there is no target ${JSON.stringify(unknown)}`)
      if (targetIds.length > mostTargets) throw new ExecutionInvalid(`at most ${mostTargets} targets can be called for one condition`)
      const at = recorder.now()
      const before = executions.find((each) => each.condition === condition)
      const execution: Execution = { condition, targets: [...new Set(targetIds)], createdAt: before?.createdAt ?? at, changedAt: at }
      const event = recorder.event('execution.set', actor, { kind: 'execution', id: condition }, { targets: execution.targets })
      const keep = condition.startsWith('event') && execution.targets.length > 0 ? await beginTelling() : undefined
      await store.commit(
        execution.targets.length > 0 ? { putExecutions: [execution], events: [event] } : { removeExecutions: [condition], events: [event] },
      )
      // A server that looked before had nobody to tell, and forgot the moment.
      await keep?.()
      return at
    },
  }
}

function assertAcceptable({ name, endpoint, timeoutMs }: TargetFields): void {
  const length = [...name].length
  if (length < 1 || length > 1000) throw new TargetInvalid('name: must have 1 to 1000 characters')
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new TargetInvalid('endpoint: must be an http or https address without credentials')
  }
  if (!(timeoutMs > 0 && timeoutMs <= longestTimeoutMs)) throw new TargetInvalid('timeout: must be more than 0s and at most 270s')
}

function assertKnown(condition: Condition): void {
  const [kind, name, ...rest] = condition.split('/')
  const isFunction = kind === 'function' && rest.length === 0 && (actionFunctions as readonly (string | undefined)[]).includes(name)
  const isEvent = kind === 'event' && rest.length === 0 && (name === undefined || /^[a-z][a-z0-9_.]*(?:\.\*)?$/.test(name))
  if (!isFunction && !isEvent) throw new ExecutionInvalid(`condition: there is no ${JSON.stringify(condition)}`)
}

/** The targets of the execution that fits best: of the event itself, of the longest group that it is in, of all events. */
export function targetsFor(event: string, { targets, executions }: Awaited<ReturnType<ActionStore['list']>>): readonly Target[] {
  const fitting = executions.filter(({ condition }) => {
    const name = condition.slice('event/'.length)
    if (condition === 'event' || condition === `event/${event}`) return true
    return condition.startsWith('event/') && name.endsWith('.*') && event.startsWith(name.slice(0, -1))
  })
  const [best] = fitting.toSorted((a, b) => rankOf(b.condition, event) - rankOf(a.condition, event))
  return (best?.targets ?? []).flatMap((id) => targets.find((each) => each.id === id) ?? [])
}

const rankOf = (condition: Condition, event: string) => (condition === `event/${event}` ? Number.POSITIVE_INFINITY : condition.length)
