/**
 * Federation: what identity providers tell of people. Here which of it an app keeps (contracts/app-services.md, section 3.4). Reads no token and asks no provider.
 */

/** A field of `metadata_fields`. */
interface MetadataField {
  readonly required: boolean
  /** A path into what the provider tells: names joined by dots; a dot that is part of a name has a backslash before it. */
  readonly name: string
  /** What it is called here; the last name of the path when left out. */
  readonly field_name?: string | undefined
}

interface Mapped {
  readonly data: Readonly<Record<string, unknown>>
  /** Paths of required fields that are not there. */
  readonly missing: readonly string[]
  /** Fields that are longer than is kept. */
  readonly tooLong: readonly string[]
}

const mostCharacters = 4096

/** What of `told` the `fields` keep. */
export function mapMetadata(told: Readonly<Record<string, unknown>>, fields: readonly MetadataField[]): Mapped {
  const found = fields.map((field) => ({ field, value: valueAt(told, namesOf(field.name)) }))
  const there = found.filter(({ value }) => value !== undefined && value !== null)
  return {
    data: Object.fromEntries(there.map(({ field, value }) => [field.field_name ?? namesOf(field.name).at(-1) ?? field.name, value])),
    missing: found.filter((each) => each.field.required && !there.includes(each)).map(({ field }) => field.name),
    tooLong: there.filter(({ value }) => lengthOf(value) > mostCharacters).map(({ field }) => field.name),
  }
}

/** The names in a path: `a\.b.c` is `a.b` and `c`. */
function namesOf(path: string): readonly string[] {
  const names: string[] = []
  let name = ''
  for (let at = 0; at < path.length; at += 1) {
    const character = path[at] as string
    if (character === '\\' && at + 1 < path.length) {
      at += 1
      name += path[at]
    } else if (character === '.') {
      names.push(name)
      name = ''
    } else name += character
  }
  names.push(name)
  return names
}

function valueAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return valueAt((value as Readonly<Record<string, unknown>>)[name], rest)
}

const lengthOf = (value: unknown) => (typeof value === 'string' ? value.length : (JSON.stringify(value)?.length ?? 0))
