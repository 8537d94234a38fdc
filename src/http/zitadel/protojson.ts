import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf'
import { StatusError } from './errors.ts'

/**
 * The message of `schema` that `json` stands for, by protojson's rules: names in camel or snake case, numbers also as text, base64 in either
 * alphabet; unknown fields are passed over, unknown names of an enum are not. `text` is where the JSON came from.
 * @throws StatusError 400
 */
export function readMessage(schema: DescMessage, json: JsonValue, text: string): Message {
  const direct = decode(schema, json)
  if (!(direct instanceof Error)) return direct
  // The decoder passes over unknown names of an enum together with unknown fields, so unknown fields are taken out by hand.
  if (!isObject(json)) throw unexpectedToken(json, 1, 1)
  const known = withoutUnknown(schema, json)
  const message = decode(schema, known)
  if (message instanceof Error) throw refusalOf(schema, known, text, message)
  return message
}

/** The JSON of a message as protojson writes it: what has its default is left out. */
export const writeMessage = (schema: DescMessage, message: Message): string => JSON.stringify(toJson(schema, message))

function decode(schema: DescMessage, json: JsonValue): Message | Error {
  try {
    return fromJson(schema, json)
  } catch (error) {
    return error as Error
  }
}

/** The field that a name in JSON stands for. */
export const fieldOf = (schema: DescMessage, name: string): DescField | undefined =>
  schema.fields.find((field) => field.jsonName === name || field.name === name)

/** Google's own types have a JSON form of their own: there are no fields to look for. */
export const hasOwnFields = (schema: DescMessage | undefined): schema is DescMessage =>
  schema !== undefined && !schema.typeName.startsWith('google.protobuf.')

const isObject = (json: JsonValue | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json)

function withoutUnknown(schema: DescMessage, json: JsonObject): JsonObject {
  const known: JsonObject = {}
  for (const [name, value] of Object.entries(json)) {
    const field = fieldOf(schema, name)
    if (!field) continue
    const below = field.fieldKind === 'map' || !hasOwnFields(field.message) ? undefined : field.message
    const pruned = (each: JsonValue) => (below && isObject(each) ? withoutUnknown(below, each) : each)
    known[name] = Array.isArray(value) ? value.map(pruned) : pruned(value)
  }
  return known
}

interface Culprit {
  readonly field: DescField
  readonly name: string
  readonly value: JsonValue
}

/** The innermost field that makes `json` undecodable; `undefined` when each would do by itself. */
function culpritOf(schema: DescMessage, json: JsonObject): Culprit | undefined {
  for (const [name, value] of Object.entries(json)) {
    const field = fieldOf(schema, name)
    if (!field || !(decode(schema, { [name]: value }) instanceof Error)) continue
    const below = field.fieldKind === 'map' || !hasOwnFields(field.message) ? undefined : field.message
    const items = Array.isArray(value) && field.fieldKind === 'list' ? value : [value]
    for (const item of items) {
      const inner = below && isObject(item) ? culpritOf(below, item) : undefined
      if (inner) return inner
    }
    const bad = items.findIndex((each) => decode(schema, { [name]: field.fieldKind === 'list' ? [each] : each }) instanceof Error)
    return { field, name, value: items[bad] ?? (bad < 0 ? value : null) }
  }
  return undefined
}

function refusalOf(schema: DescMessage, json: JsonObject, text: string, error: Error): StatusError {
  const culprit = culpritOf(schema, json)
  if (!culprit) return new StatusError('invalidArgument', `proto: ${error.cause instanceof Error ? error.cause.message : error.message}`)
  const { field, name, value } = culprit
  const [line, column] = placeOf(text, name, value)
  const kind = 'scalar' in field && field.scalar !== undefined ? ScalarType[field.scalar].toLowerCase() : field.enum ? 'enum' : undefined
  if (kind === undefined || (field.fieldKind === 'list' && value === null)) return unexpectedToken(value, line, column)
  const raw = JSON.stringify(value)
  return new StatusError('invalidArgument', `proto: (line ${line}:${column}): invalid value for ${kind} field ${field.jsonName}: ${raw}`)
}

function unexpectedToken(json: JsonValue, line: number, column: number): StatusError {
  const token = Array.isArray(json) ? '[' : isObject(json) ? '{' : JSON.stringify(json)
  return new StatusError('invalidArgument', `proto: syntax error (line ${line}:${column}): unexpected token ${token}`)
}

/** Line and column of a member's value, or of the place where a value of that name is first. */
function placeOf(text: string, name: string, value: JsonValue): [number, number] {
  const label = JSON.stringify(name)
  const written = JSON.stringify(value)
  let start: number | undefined
  for (let at = text.indexOf(label); at >= 0; at = text.indexOf(label, at + 1)) {
    const separator = /\s*:\s*(?:\[\s*)?/y
    separator.lastIndex = at + label.length
    if (!separator.test(text)) continue
    start ??= separator.lastIndex
    if (text.startsWith(written, separator.lastIndex)) {
      start = separator.lastIndex
      break
    }
  }
  const before = text.slice(0, start ?? 0)
  return [before.split('\n').length, before.length - before.lastIndexOf('\n')]
}
