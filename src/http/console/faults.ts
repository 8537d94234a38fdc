import { DomainError } from '#src/base/errors.ts'
import type { Visit } from '../kit/area.ts'
import { pageBudget, weightOf } from '../kit/pageWeight.ts'

/** What a form is shown with when it is not taken: what was typed, and what is wrong with it, by field. */
export interface FormFaults {
  readonly values: Readonly<Record<string, string>>
  readonly faults: Readonly<Record<string, string>>
  /** Above the form. */
  readonly problem: string
}

/** Errors without a field that are about one all the same. */
const fieldsByCode: Readonly<Record<string, string>> = { 'user.username_taken': 'username' }

/** An error of the domain at the field that it is about, or above the form where it is about none of them. What is no error of the domain is thrown on. */
export function faultsOf(visit: Visit, error: unknown, values: Readonly<Record<string, string>>): FormFaults {
  const text = visit.problemOf(error)
  const { field } = error as { readonly field?: string }
  const at = error instanceof DomainError ? (fieldsByCode[error.code] ?? field) : undefined
  return at !== undefined && Object.hasOwn(values, at)
    ? faultsAt(visit, { [at]: text }, values)
    : light(visit, { values, faults: {}, problem: text })
}

/** Faults by field. */
export const faultsAt = (visit: Visit, faults: Readonly<Record<string, string>>, values: Readonly<Record<string, string>>): FormFaults =>
  light(visit, { values, faults, problem: visit.texts.t('consoleUsers.faults') })

/** Bytes of all that was typed into a form. */
const keptBytes = 24_000

/** The form without what would make its page heavy, which is said. */
function light({ texts: { t } }: Visit, { values, problem, ...form }: FormFaults): FormFaults {
  const room = pageBudget(keptBytes)
  const kept = Object.entries(values).map(([name, text]) => [name, room.take([text], weightOf)[0] ?? ''] as const)
  const isWhole = kept.every(([name, text]) => text === values[name])
  return { ...form, values: Object.fromEntries(kept), problem: isWhole ? problem : `${problem} ${t('consoleUsers.leftOut')}` }
}
