/** A provider of an App Services app as a form has it. Fields are called by their paths in `auth/providers.json`; what a form does not know of stays in the file. */
import type { SentForm } from '../kit/sentForm.ts'
import { linesOf } from './appPlace.ts'

export type Fields = Readonly<Record<string, unknown>>

/** `flags` chooses between settings that exclude each other: each option sets its own. */
type Field =
  | { readonly kind: 'text' | 'url' | 'lines' | 'tick' | 'function'; readonly name: string }
  | { readonly kind: 'choice'; readonly name: string; readonly values: readonly string[] }
  | { readonly kind: 'flags'; readonly name: string; readonly options: Readonly<Record<string, Readonly<Record<string, boolean>>>> }

interface ProviderForm {
  readonly fields: readonly Field[]
  /** Whether it keeps metadata fields, and whether these may have another name here. */
  readonly metadata?: 'fields' | 'renamed'
}

const confirmation: Field = {
  kind: 'flags',
  name: 'confirmation',
  options: {
    mail: { autoConfirm: false, runConfirmationFunction: false },
    auto: { autoConfirm: true, runConfirmationFunction: false },
    function: { autoConfirm: false, runConfirmationFunction: true },
  },
}
const reset: Field = { kind: 'flags', name: 'reset', options: { mail: { runResetFunction: false }, function: { runResetFunction: true } } }
const keys: Field = { kind: 'flags', name: 'keys', options: { secrets: { useJWKURI: false }, address: { useJWKURI: true } } }

const text = (name: string): Field => ({ kind: 'text', name })
const url = (name: string): Field => ({ kind: 'url', name })
const lines = (name: string): Field => ({ kind: 'lines', name })
const tick = (name: string): Field => ({ kind: 'tick', name })
const called = (name: string): Field => ({ kind: 'function', name })

const forms: Readonly<Record<string, ProviderForm>> = {
  'anon-user': { fields: [] },
  'local-userpass': {
    fields: [
      ...[confirmation, url('config.emailConfirmationUrl'), text('config.confirmEmailSubject'), called('config.confirmationFunctionName')],
      ...[reset, url('config.resetPasswordUrl'), text('config.resetPasswordSubject'), called('config.resetFunctionName')],
    ],
  },
  'api-key': { fields: [] },
  'custom-token': {
    fields: [
      keys,
      { kind: 'choice', name: 'config.signingAlgorithm', values: ['HS256', 'RS256'] },
      ...[lines('secret_config.signingKeys'), url('config.jwkURI'), lines('config.audience'), tick('config.requireAnyAudience')],
    ],
    metadata: 'renamed',
  },
  'custom-function': { fields: [called('config.authFunctionName')] },
}

const clientFields = [text('config.clientId'), text('secret_config.clientSecret')]
const restFields = [lines('redirect_uris'), lines('domain_restrictions')]
const known: ProviderForm = { fields: [...clientFields, ...restFields, url('config.issuer')], metadata: 'fields' }
const generic: ProviderForm = { fields: [url('config.issuer'), ...clientFields, ...restFields], metadata: 'fields' }

/** App Services' own. */
export const providerTypes = [...Object.keys(forms), 'oauth2-google', 'oauth2-facebook', 'oauth2-apple']

export const isProviderType = (type: string) => providerTypes.includes(type) || /^oauth2-[a-z0-9-]{1,50}$/.test(type)

export const formOf = (type: string): ProviderForm => forms[type] ?? (providerTypes.includes(type) ? known : generic)

const nested = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})

function valueAt(provider: Fields, name: string): unknown {
  return name.split('.').reduce<unknown>((value, part) => nested(value)[part], provider)
}

/** A field with a value, or without one when that is `undefined`; an object that is empty then goes. */
function withValue(fields: Fields, [name = '', ...rest]: readonly string[], value: unknown): Fields {
  const { [name]: before, ...others } = fields
  const next = rest.length === 0 ? value : withValue(nested(before), rest, value)
  const isEmpty = next === undefined || (rest.length > 0 && Object.keys(nested(next)).length === 0)
  return isEmpty ? others : { ...others, [name]: next }
}

/** What the fields of a form show of a provider. */
export function shownProvider(provider: Fields, field: Field): string {
  const value = valueAt(provider, field.name)
  const config = nested(provider.config)
  switch (field.kind) {
    case 'flags': {
      const options = Object.entries(field.options)
      const found = options.findLast(([, flags]) => Object.entries(flags).some(([name, isOn]) => isOn && config[name] === true))
      return found?.[0] ?? options[0]?.[0] ?? ''
    }
    case 'tick':
      return value === true || value === 'true' ? 'on' : ''
    case 'lines':
      return Array.isArray(value) ? value.join('\n') : typeof value === 'string' ? value.split(',').join('\n') : ''
    default:
      return typeof value === 'string' ? value : ''
  }
}

/** A row of the form for a metadata field. */
export interface MetadataRow {
  readonly name: string
  readonly field_name: string
  readonly required: boolean
}

export const rowsOf = (provider: Fields): readonly MetadataRow[] =>
  (Array.isArray(provider.metadata_fields) ? provider.metadata_fields.map(nested) : []).map((row) => ({
    name: typeof row.name === 'string' ? row.name : '',
    field_name: typeof row.field_name === 'string' ? row.field_name : '',
    required: row.required === true,
  }))

const mostRows = 200

/** The rows that were sent, the empty ones too. */
export function rowsIn(form: SentForm): readonly MetadataRow[] {
  const count = Math.min(Number(form.text('rows')) || 0, mostRows)
  return Array.from({ length: count }, (_, index) => ({
    name: form.text(`metadata_fields.${index}.name`),
    field_name: form.text(`metadata_fields.${index}.field_name`),
    required: form.has(`metadata_fields.${index}.required`),
  }))
}

function metadataIn(rows: readonly MetadataRow[], before: Fields): readonly Fields[] | undefined {
  const known = (Array.isArray(before.metadata_fields) ? before.metadata_fields : []).map(nested)
  const named = rows.filter(({ name }) => name !== '')
  if (named.length === 0) return undefined
  return named.map(({ name, field_name, required }) => {
    const { field_name: _, ...rest } = known.find((each) => each.name === name) ?? {}
    return { ...rest, required, name, ...(field_name !== '' && { field_name }) }
  })
}

function valueIn(form: SentForm, field: Exclude<Field, { kind: 'flags' }>): unknown {
  switch (field.kind) {
    case 'tick':
      return form.has(field.name)
    case 'lines': {
      const all = linesOf(form.raw(field.name))
      return all.length === 0 ? undefined : all
    }
    default:
      return form.text(field.name) || undefined
  }
}

/** The provider that a form makes of the one that was there. */
export function providerIn(form: SentForm, type: string, before: Fields): Fields {
  const { fields, metadata } = formOf(type)
  let provider: Fields = { ...before, name: type, type, disabled: !form.has('enabled') }
  for (const field of fields) {
    if (field.kind === 'flags') {
      const flags = field.options[form.text(field.name)] ?? {}
      for (const [name, isOn] of Object.entries(flags)) provider = withValue(provider, ['config', name], isOn)
    } else provider = withValue(provider, field.name.split('.'), valueIn(form, field))
  }
  return metadata ? withValue(provider, ['metadata_fields'], metadataIn(rowsIn(form), before)) : provider
}

/** Whether a name is that of a field of the form. */
export const isFieldOf = (type: string) => (name: string) =>
  formOf(type).fields.some((field) => field.name === name) || /^metadata_fields\.\d+\.(name|field_name)$/.test(name)
