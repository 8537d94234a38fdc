import type { FieldFault } from '#src/domain/accounts/accounts.ts'
import type { Texts } from './messages.ts'

/** What is wrong with each field of a form, in a person's words. */
export function faultTexts({ t, has }: Pick<Texts, 't' | 'has'>, faults: readonly FieldFault[]): Readonly<Record<string, string>> {
  const entries = faults.map(({ field, reason }) => {
    const own = `fault.${field}.${reason}`
    return [field, has(own) ? t(own) : t(`fault.${reason}`)] as const
  })
  return Object.fromEntries(entries)
}
