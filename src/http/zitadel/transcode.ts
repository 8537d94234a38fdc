import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'
import { parseJson } from './jsonText.ts'
import { readMessage } from './protojson.ts'
import { jsonOfQuery, jsonOfText } from './query.ts'
import type { Route } from './routes.ts'

/** What of an HTTP request a message is made of. */
export interface RequestParts {
  /** What the variables of the path stand for, decoded. */
  readonly values: readonly string[]
  /** Without the question mark. */
  readonly query: string
  /** Empty when the route takes none. */
  readonly body: Buffer
}

/** The message that an HTTP request stands for. What the path says wins over what the body says. @throws StatusError 400 */
export function readRequest({ rpc, variables, hasBody, bodyField }: Route, { values, query, body }: RequestParts): Message {
  const message = hasBody ? fromBody(rpc.input, body, bodyField) : fromQuery(rpc.input, query, variables)
  variables.forEach((field, index) => {
    put(rpc.input, message, field, values[index] ?? '')
  })
  return message
}

function fromBody(schema: DescMessage, body: Buffer, field: DescField | undefined): Message {
  if (body.length === 0) return create(schema)
  const { value, text } = parseJson(body)
  return readMessage(schema, field ? { [field.jsonName]: value } : value, text)
}

function fromQuery(schema: DescMessage, query: string, taken: readonly DescField[]): Message {
  return query === '' ? create(schema) : readMessage(schema, jsonOfQuery(schema, query, taken), '')
}

/** Fills a field from the path. Text needs no reading, and nearly all of it is text. */
function put(schema: DescMessage, message: Message, field: DescField, text: string): void {
  const parts = message as unknown as Record<string, unknown>
  if (field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING && !field.oneof) {
    parts[field.localName] = text
    return
  }
  const name = (field.oneof ?? field).localName
  const read = readMessage(schema, { [field.jsonName]: jsonOfText(field, text) }, '')
  parts[name] = (read as unknown as Record<string, unknown>)[name]
}
