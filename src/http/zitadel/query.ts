import { type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from '@bufbuild/protobuf'
import { fieldOf, hasOwnFields } from './protojson.ts'

/**
 * The parameters of a query as JSON of `schema`. A dot leads into a message, a repeated parameter fills a list; what is no field, and the
 * fields of `taken`, which the path fills, are passed over.
 */
export function jsonOfQuery(schema: DescMessage, query: string, taken: readonly DescField[]): JsonObject {
  const json: JsonObject = {}
  for (const [name, text] of new URLSearchParams(query)) {
    let target = json
    let fields: DescMessage | undefined = schema
    for (const part of name.split('.')) {
      const field: DescField | undefined = fields && fieldOf(fields, part)
      if (!field || taken.includes(field) || field.fieldKind === 'map') break
      if (field.fieldKind === 'message' && hasOwnFields(field.message)) {
        const inner = (target[field.jsonName] ?? {}) as JsonObject
        target[field.jsonName] = inner
        target = inner
        fields = field.message
        continue
      }
      if (field.fieldKind === 'list') {
        const before = (target[field.jsonName] ?? []) as JsonValue[]
        before.push(jsonOfText(field, text))
        target[field.jsonName] = before
      } else target[field.jsonName] = jsonOfText(field, text)
      break
    }
  }
  return json
}

/** The JSON of a field's value that was written as plain text, in a query or a path. */
export function jsonOfText(field: DescField, text: string): JsonValue {
  const scalar = field.message?.typeName === 'google.protobuf.BoolValue' ? ScalarType.BOOL : field.scalar
  if (scalar === ScalarType.BOOL) return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
  if (field.enum && /^-?\d{1,10}$/.test(text)) return Number(text)
  return text
}
