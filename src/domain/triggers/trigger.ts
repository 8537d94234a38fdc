/** Triggers of App Services apps: functions that run when somebody logs in, comes or leaves, and at set times (contracts/app-services.md, section 6). */
import type { AppView } from '../apps/app.ts'
import type { AuditEvent, EventPayloads, EventType } from '../audit/events.ts'

type OperationType = 'LOGIN' | 'CREATE' | 'DELETE'

/** What happened to a user in an app. */
export interface AppEvent {
  readonly app: string
  readonly operationType: OperationType
  readonly providers: readonly string[]
  readonly userId: string
  readonly at: Date
}

/** Events of the trail by which triggers run, each with what it is to them. */
const operations = { 'user.identity_added': 'CREATE', 'user.logged_in': 'LOGIN', 'user.left_app': 'DELETE' } as const

export const triggeringEvents = Object.keys(operations) as readonly EventType[]

/** What an event of the trail, of one of those types, is to triggers. */
export function appEventOf({ type, subject, payload, at }: AuditEvent): AppEvent {
  const told = payload as EventPayloads[keyof typeof operations]
  return {
    app: told.app,
    operationType: operations[type as keyof typeof operations],
    providers: 'providers' in told ? told.providers : [told.provider],
    userId: subject.id,
    at,
  }
}

type Trigger = AppView['configuration']['triggers'] extends ReadonlyMap<string, infer T> ? T : never
type Named = readonly [name: string, trigger: Trigger]

/** Triggers of an app that run, by type. */
export const runningTriggers = ({ configuration: { triggers } }: AppView, type: Trigger['type']): readonly Named[] =>
  [...triggers].filter(([, trigger]) => trigger.type === type && !trigger.disabled && trigger.function_name !== undefined)

/** The authentication triggers that an event concerns. */
export const triggersFor = (view: AppView, { operationType, providers }: Pick<AppEvent, 'operationType' | 'providers'>): readonly Named[] =>
  runningTriggers(view, 'AUTHENTICATION').filter(
    ([, { config }]) =>
      config.operation_type?.includes(operationType) &&
      ((config.providers ?? []).length === 0 || providers.some((provider) => config.providers?.includes(provider))),
  )
