/** Targets and executions: `zitadel.action.v2beta.ActionService`. Executions are of functions and events; what requests and replies are is not changed here. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { durationFromMs, durationMs, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ActionService } from '@zitadel/proto/zitadel/action/v2beta/action_service_pb.js'
import type { Condition, ConditionSchema } from '@zitadel/proto/zitadel/action/v2beta/execution_pb.js'
import { type ExecutionSearchFilter, ExecutionType, type TargetSearchFilter } from '@zitadel/proto/zitadel/action/v2beta/query_pb.js'
import type { TargetSchema } from '@zitadel/proto/zitadel/action/v2beta/target_pb.js'
import { textMethods } from '#src/base/text.ts'
import { actionFunctions, type Execution, type Target } from '#src/domain/actions/action.ts'
import type { Actions, TargetFields } from '#src/domain/actions/actions.ts'
import type { Caller } from '../authenticate.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { paginationOf } from '../pagination.ts'
import { actorOf, textMethodOf } from '../users.ts'
import { eventNames } from './events.ts'

export interface ActionsNeeds {
  readonly actions: Actions
}

/** Unless the request says otherwise. */
const usualTimeoutMs = 10_000

export function actionHandlers({ actions }: HandlerNeeds) {
  const { method } = ActionService

  /** The key is for those who manage targets: with it calls can be forged. */
  const messageOf = (target: Target, caller: Caller): MessageInitShape<typeof TargetSchema> => ({
    id: target.id,
    name: target.name,
    endpoint: target.endpoint,
    creationDate: timestampFromDate(target.createdAt),
    changeDate: timestampFromDate(target.changedAt),
    timeout: durationFromMs(target.timeoutMs),
    targetType: typeOf(target),
    ...(caller.may('action.target.write') && { signingKey: actions.signingKeyOf(target) }),
  })

  return [
    handlerOf(method.createTarget, async ({ name, endpoint, timeout, targetType }, caller) => {
      const fields = { name, endpoint, timeoutMs: timeout ? durationMs(timeout) : usualTimeoutMs, ...kindOf(targetType) }
      const target = await actions.createTarget(fields, actorOf(caller))
      return { id: target.id, creationDate: timestampFromDate(target.createdAt), signingKey: actions.signingKeyOf(target) }
    }),

    handlerOf(method.updateTarget, async ({ id, name, endpoint, timeout, targetType, expirationSigningKey }, caller) => {
      const newKey = expirationSigningKey !== undefined
      const changes = {
        ...(name !== undefined && { name }),
        ...(endpoint !== undefined && { endpoint }),
        ...(timeout && { timeoutMs: durationMs(timeout) }),
        ...(targetType.case !== undefined && kindOf(targetType)),
        newKey,
      }
      const target = await actions.updateTarget(id, changes, actorOf(caller))
      return { changeDate: timestampFromDate(target.changedAt), ...(newKey && { signingKey: actions.signingKeyOf(target) }) }
    }),

    handlerOf(method.deleteTarget, async ({ id }, caller) => {
      const at = await actions.removeTarget(id, actorOf(caller))
      return at ? { deletionDate: timestampFromDate(at) } : {}
    }),

    handlerOf(method.getTarget, async ({ id }, caller) => ({ target: messageOf(await actions.get(id), caller) })),

    handlerOf(method.listTargets, async ({ pagination, filters }, caller) => {
      const found = (await actions.list()).targets.filter((target) => filters.every((filter) => passesTarget(filter, target)))
      const { rows, total, limit } = partOf(found, pagination)
      return { pagination: { totalResult: total, appliedLimit: limit }, targets: rows.map((target) => messageOf(target, caller)) }
    }),

    handlerOf(method.setExecution, async ({ condition, targets }, caller) => ({
      setDate: timestampFromDate(await actions.setExecution(nameOf(condition), targets, actorOf(caller))),
    })),

    handlerOf(method.listExecutions, async ({ pagination, filters }) => {
      const found = (await actions.list()).executions.filter((execution) => filters.every((filter) => passesExecution(filter, execution)))
      const { rows, total, limit } = partOf(found, pagination)
      return {
        pagination: { totalResult: total, appliedLimit: limit },
        executions: rows.map(({ condition, targets, createdAt, changedAt }) => ({
          condition: conditionOf(condition),
          targets: [...targets],
          creationDate: timestampFromDate(createdAt),
          changeDate: timestampFromDate(changedAt),
        })),
      }
    }),

    handlerOf(method.listExecutionFunctions, async () => ({ functions: [...actionFunctions] })),
    // Nothing is called for requests and replies.
    handlerOf(method.listExecutionMethods, async () => ({ methods: [] })),
    handlerOf(method.listExecutionServices, async () => ({ services: [] })),
  ]
}

type Paged = Parameters<typeof paginationOf>[0]

function partOf<T>(found: readonly T[], pagination: Paged) {
  const { offset, limit, ascending } = paginationOf(pagination)
  const ordered = ascending ? found : found.toReversed()
  return { rows: ordered.slice(offset, offset + limit), total: BigInt(found.length), limit: BigInt(limit) }
}

function kindOf(type: { readonly case?: string; readonly value?: unknown }): Pick<TargetFields, 'kind' | 'interruptOnError'> {
  const { interruptOnError = false } = (type.value ?? {}) as { interruptOnError?: boolean }
  if (type.case === 'restCall') return { kind: 'call', interruptOnError }
  return type.case === 'restAsync' ? { kind: 'async', interruptOnError: false } : { kind: 'webhook', interruptOnError }
}

function typeOf({ kind, interruptOnError }: Target): MessageInitShape<typeof TargetSchema>['targetType'] {
  if (kind === 'call') return { case: 'restCall', value: { interruptOnError } }
  return kind === 'async' ? { case: 'restAsync', value: {} } : { case: 'restWebhook', value: { interruptOnError } }
}

/** The name of a condition in the domain. @throws StatusError for what nothing is called for */
function nameOf(condition: Condition | undefined): string {
  const type = condition?.conditionType
  if (type?.case === 'function') return `function/${type.value.name}`
  if (type?.case === 'event') {
    const { case: kind, value } = type.value.condition
    if (kind === 'event') {
      if (!eventNames.includes(value)) throw nothingSuch('event', value)
      return `event/${value}`
    }
    if (kind === 'group') {
      const group = value.replace(/\.?\*?$/, '')
      if (!eventNames.some((name) => name.startsWith(`${group}.`))) throw nothingSuch('group of events', value)
      return `event/${group}.*`
    }
    return 'event'
  }
  throw new StatusError('unimplemented', 'Targets are called for functions and events, not for requests and responses')
}

const nothingSuch = (what: string, name: string) =>
  new StatusError('invalidArgument', `condition: there is no ${what} ${JSON.stringify(name)} that targets are told of`)

function conditionOf(name: string): MessageInitShape<typeof ConditionSchema> {
  const [kind, rest] = name.split('/')
  if (kind === 'function') return { conditionType: { case: 'function', value: { name: rest ?? '' } } }
  const condition =
    rest === undefined
      ? ({ case: 'all', value: true } as const)
      : rest.endsWith('.*')
        ? ({ case: 'group', value: rest.slice(0, -2) } as const)
        : ({ case: 'event', value: rest } as const)
  return { conditionType: { case: 'event', value: { condition } } }
}

function passesTarget({ filter }: TargetSearchFilter, { id, name }: Target): boolean {
  if (filter.case === 'targetNameFilter') return textMethods[textMethodOf(filter.value.method)](name, filter.value.targetName)
  return filter.case !== 'inTargetIdsFilter' || filter.value.targetIds.includes(id)
}

function passesExecution({ filter }: ExecutionSearchFilter, { condition, targets }: Execution): boolean {
  if (filter.case === 'targetFilter') return targets.includes(filter.value.targetId)
  if (filter.case === 'inConditionsFilter') return filter.value.conditions.some((each) => nameOf(each) === condition)
  if (filter.case !== 'executionTypeFilter') return true
  const type = filter.value.executionType
  return type === ExecutionType.UNSPECIFIED || condition.split('/')[0] === ExecutionType[type].toLowerCase()
}
