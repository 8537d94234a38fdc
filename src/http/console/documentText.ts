/** A document as text that people edit: extended JSON in which every type of BSON survives, and that is plain JSON where that says the same. */
import { type Document, EJSON } from 'bson'
import type { Texts } from '../kit/messages.ts'
import { readJson } from './jsonPlaces.ts'

/** A document with two blanks a level. */
export const writeDocument = (document: Document): string =>
  JSON.stringify(simplified(JSON.parse(EJSON.stringify(document, { relaxed: false }))), null, 2)

/** The document that a text is, or what is wrong with it. */
export function readDocument({ t }: Pick<Texts, 't'>, text: string): { readonly document: Document } | { readonly fault: string } {
  const read = readJson(text)
  if ('fault' in read) return { fault: t('consoleUsers.json.fault', { ...read.fault }) }
  if (read.value === null || typeof read.value !== 'object' || Array.isArray(read.value))
    return { fault: t('consoleUsers.json.notAnObject') }
  try {
    const document = EJSON.deserialize(read.value as Document, { relaxed: false })
    // At the top they would be taken for what is to be done with the document.
    const operator = Object.keys(document).find((name) => name.startsWith('$'))
    return operator === undefined ? { document } : { fault: t('consoleUsers.json.operator', { name: operator.slice(0, 40) }) }
  } catch {
    return { fault: t('consoleUsers.json.notExtended') }
  }
}

/** Marks of numbers are left out where the number says the same without. */
function simplified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(simplified)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value)
  const [[mark, text] = []] = entries.length === 1 ? entries : []
  const number = Number(text)
  if (mark === '$numberInt') return number
  if (mark === '$numberDouble' && Number.isFinite(number) && !Number.isInteger(number)) return number
  return Object.fromEntries(entries.map(([name, each]) => [name, simplified(each)]))
}
