/** A trigger of an App Services app as a form has it; fields are called by their paths in its file, and what the form does not know of stays there. */
import type { AppView } from '#src/domain/apps/app.ts'
import { triggerIn as triggerOf } from '#src/domain/apps/editing.ts'
import type { SentForm } from '../kit/sentForm.ts'

export const operationTypes = ['CREATE', 'LOGIN', 'DELETE'] as const

export type TriggerType = 'AUTHENTICATION' | 'SCHEDULED'
export const typeIn = (text: string): TriggerType | undefined => (text === 'AUTHENTICATION' || text === 'SCHEDULED' ? text : undefined)

export interface ShownTrigger {
  readonly isOn: boolean
  readonly functionName: string
  readonly operations: readonly string[]
  readonly providers: readonly string[]
  readonly schedule: string
  readonly skipsMissed: boolean
}

export const emptyTrigger: ShownTrigger = { isOn: true, functionName: '', operations: [], providers: [], schedule: '', skipsMissed: false }

export function shownTrigger({ configuration }: AppView, name: string): ShownTrigger {
  const found = configuration.triggers.get(name)
  if (!found) return emptyTrigger
  const { operation_type: operations = [], providers = [], schedule = '', skip_catchup_events: skipsMissed = false } = found.config
  return { isOn: !found.disabled, functionName: found.function_name ?? '', operations, providers, schedule, skipsMissed }
}

export const typedTrigger = (form: SentForm): ShownTrigger => ({
  isOn: form.has('enabled'),
  functionName: form.text('function_name'),
  operations: form.all('config.operation_type'),
  providers: form.all('config.providers'),
  schedule: form.text('config.schedule'),
  skipsMissed: form.has('config.skip_catchup_events'),
})

type Fields = Readonly<Record<string, unknown>>
const nested = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})

/** The file that a form makes of the one that was there; the function stays in that of two places where it was. */
export function triggerFields(view: AppView, name: string, type: TriggerType, typed: ShownTrigger): Fields {
  const { function_name: older, ...before } = view.configuration.triggers.has(name) ? triggerOf(view, name) : {}
  const processors = nested(before.event_processors)
  const processor = nested(processors.FUNCTION)
  const isOlder = older !== undefined
  const own =
    type === 'SCHEDULED'
      ? { schedule: typed.schedule, skip_catchup_events: typed.skipsMissed }
      : { operation_type: typed.operations, providers: typed.providers }
  const { function_id: _, ...config } = nested(processor.config)
  return {
    ...before,
    name,
    type,
    disabled: !typed.isOn,
    config: { ...nested(before.config), ...own },
    ...(isOlder
      ? { function_name: typed.functionName }
      : { event_processors: { ...processors, FUNCTION: { ...processor, config: { ...config, function_name: typed.functionName } } } }),
  }
}

export const isTriggerField = (name: string) =>
  ['function_name', 'config.operation_type', 'config.providers', 'config.schedule'].includes(name)
