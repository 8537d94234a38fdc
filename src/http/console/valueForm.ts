/** A value of metadata in a form: as text, as JSON, as base64, or as a file. */
import { guessValue } from '#src/domain/metadata/kind.ts'
import type { Visit } from '../kit/area.ts'
import { beginningOf, editable } from '../kit/pageWeight.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { readJson } from './jsonPlaces.ts'
import { fromBase64 } from './metadataPaste.ts'

const forms = ['text', 'json', 'base64'] as const
type ValueForm = (typeof forms)[number]

/** So many bytes are put into a form; more is replaced by a file. */
const editableBytes = 16_000
/** So many bytes of a page show a value, and as many characters of its base64. */
const shownBytes = 12_000
const shownBase64 = 4000

/** Forms with values may be as large as a value in base64, and what stands around it. */
export const valueFormBytes = 3 * 1024 * 1024

/** What was sent as a value, or what is wrong with it. A file goes before what was typed. */
export function valueIn({ texts: { t } }: Visit, form: SentForm): { readonly value: Uint8Array } | { readonly fault: string } {
  const file = form.file('file')
  if (file) return { value: file.bytes }
  // Browsers send every end of a line as two characters.
  const text = form.raw('value').replaceAll('\r\n', '\n')
  if (form.raw('form') === 'base64') {
    const value = fromBase64(text)
    return value ? { value } : { fault: t('consoleUsers.metadata.notBase64') }
  }
  if (form.raw('form') === 'json') {
    const read = readJson(text)
    if ('fault' in read) return { fault: t('consoleUsers.json.fault', { ...read.fault }) }
  }
  return { value: Buffer.from(text) }
}

/** A value as fields: text where it is text that a form gives back as it is, base64 otherwise. `undefined` when it is too large for a form. */
export function fieldsOfValue(value: Uint8Array): { readonly value: string; readonly form: ValueForm } | undefined {
  if (value.byteLength > editableBytes) return undefined
  const { kind, text } = guessValue(value)
  if (text === undefined || text.includes('\r')) return { value: Buffer.from(value).toString('base64'), form: 'base64' }
  if (editable(text).isLeftOut) return undefined
  return { value: text, form: kind === 'json' ? 'json' : 'text' }
}

/** A value for people: as text or indented JSON where it is one, and as base64. What is long is cut. */
export function viewsOf(value: Uint8Array) {
  const { kind, text } = guessValue(value)
  const base64 = Buffer.from(value).toString('base64')
  const pretty =
    kind === 'json' && text !== undefined && value.byteLength <= editableBytes ? JSON.stringify(JSON.parse(text), null, 2) : text
  const shown = pretty === undefined ? undefined : beginningOf(pretty, shownBytes)
  return {
    text: shown,
    base64: base64.slice(0, shownBase64),
    isCut: shown !== pretty,
    isBase64Cut: base64.length > shownBase64,
  }
}

export { forms as valueForms }
