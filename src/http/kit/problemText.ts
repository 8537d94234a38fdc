import type { DomainError } from '#src/base/errors.ts'
import type { Facts, Texts } from './messages.ts'

/**
 * What a person is told of an error of the domain, in their language: the text that goes by the error's code in `problem.json`, or by code and field where the error names one, with the
 * error's own fields as facts. An error without a text says its own sentence, in English.
 */
export function problemText({ t, has }: Texts, error: DomainError): string {
  // A text reads the fields that it names; whatever else an error has is not looked at.
  const facts = { ...error, message: error.message } as unknown as Facts & { readonly field?: string }
  const keys = [...(facts.field === undefined ? [] : [`problem.${error.code}.${facts.field}`]), `problem.${error.code}`]
  const key = keys.find(has)
  return key === undefined ? `${error.message[0]?.toUpperCase()}${error.message.slice(1)}.` : t(key, facts)
}
