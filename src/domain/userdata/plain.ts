/** BSON as tokens and OpenID Connect tell it: plain JSON, without marks of types. */

interface BsonValue {
  readonly _bsontype: string
}

/** A document as plain JSON text: ids as 24 hexadecimal characters, times in ISO 8601, bytes in base64, numbers as numbers where JSON has them exactly. */
export const plainJson = (document: unknown): string => JSON.stringify(plain(document))

/** The same as a value. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return exact(value)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof RegExp) return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return plain(Object.fromEntries(value))
  if ('_bsontype' in value) return plainOf(value as BsonValue)
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
}

function plainOf(value: BsonValue): unknown {
  switch (value._bsontype) {
    case 'ObjectId':
      return String(value)
    case 'Int32':
    case 'Double':
      return Number(value)
    case 'Long':
    case 'Timestamp':
      return exact(BigInt(String(value)))
    case 'Decimal128':
    case 'BSONSymbol':
      return String(value)
    case 'Binary':
      return Buffer.from((value as unknown as { value(): Uint8Array }).value()).toString('base64')
    case 'BSONRegExp': {
      const { pattern, options } = value as unknown as { readonly pattern: string; readonly options: string }
      return `/${pattern}/${options}`
    }
    case 'Code':
      return String((value as unknown as { readonly code: unknown }).code)
    case 'MinKey':
    case 'MaxKey':
      return value._bsontype
    default:
      return JSON.parse(JSON.stringify(value))
  }
}

/** A number where JSON keeps it, text where it does not. */
const exact = (value: bigint): number | string =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
