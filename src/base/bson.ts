import { type Binary, serialize } from 'bson'

/**
 * A value as one text, the same for values that are equal in MongoDB, and for no others: numbers of any type by what they are. A value of BSON is known by its tag:
 * the driver's classes and those of the module `bson` are two copies.
 */
export function keyOf(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'number') return `number ${Number.isInteger(value) ? BigInt(value) : value}`
  if (typeof value === 'bigint') return `number ${value}`
  if (typeof value === 'string') return `string ${value}`
  if (typeof value === 'boolean') return `boolean ${value}`
  if (value instanceof Date) return `date ${value.getTime()}`
  switch ((value as { readonly _bsontype?: string })._bsontype) {
    case 'Long':
      return `number ${value}`
    case 'Int32':
    case 'Double':
      return keyOf(value.valueOf())
    case 'ObjectId':
      return `id ${value}`
    case 'Binary': {
      const binary = value as Binary
      return `binary ${binary.sub_type} ${Buffer.from(binary.value()).toString('hex')}`
    }
    default:
      return `other ${Buffer.from(serialize({ value })).toString('hex')}`
  }
}
