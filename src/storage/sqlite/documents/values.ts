import { type Document, deserialize, serialize } from 'bson'
import { keyOf } from '#src/base/bson.ts'
import { DocumentsRefused } from '#src/domain/documents/failures.ts'

const mostBytes = 16 * 1024 * 1024

/** A document as it is stored, in two forms, each made when somebody wants it. */
export class Stored {
  readonly #body: Uint8Array
  #typed: Document | undefined
  #plain: Document | undefined
  /** Of its row. */
  readonly number: number

  constructor(body: Uint8Array, number = 0) {
    this.#body = body
    this.number = number
  }

  /** With its BSON types. */
  get typed(): Document {
    this.#typed ??= typedOf(this.#body)
    return this.#typed
  }

  /** As MongoDB's language is applied to it, with plain numbers. */
  get plain(): Document {
    this.#plain ??= deserialize(this.#body, { promoteBuffers: false })
    return this.#plain
  }
}

/** A document with its BSON types. */
export const typedOf = (body: Uint8Array): Document => deserialize(body, { promoteValues: false, bsonRegExp: false })

/** @throws DocumentsRefused */
export function bodyOf(document: Document): Uint8Array {
  let body: Uint8Array
  try {
    body = serialize(document, { ignoreUndefined: true, checkKeys: false })
  } catch (error) {
    throw new DocumentsRefused((error as Error).message, { cause: error })
  }
  if (body.byteLength > mostBytes)
    throw new DocumentsRefused(`object to insert too large. size in bytes: ${body.byteLength}, max size: ${mostBytes}`, { number: 10334 })
  return body
}

/** A document, or any value of one, without the types of numbers: what MongoDB's language is written in. */
export function plainOf<T>(value: T): T {
  return deserialize(serialize({ value }, { ignoreUndefined: true }), { promoteBuffers: false }).value as T
}

/** `after` with the BSON types of whatever is the same as it was: a number that nobody touched stays of its type. */
export function retyped(after: unknown, { plain, typed }: { readonly plain: unknown; readonly typed: unknown }): unknown {
  if (typeof after === 'number') return after === plain && typed !== undefined ? typed : after
  if (Array.isArray(after)) {
    return after.map((each, index) => retyped(each, { plain: (plain as unknown[])?.[index], typed: (typed as unknown[])?.[index] }))
  }
  if (!isPlainObject(after)) return after
  return Object.fromEntries(
    Object.entries(after).map(([name, each]) => [name, retyped(each, { plain: memberOf(plain, name), typed: memberOf(typed, name) })]),
  )
}

const memberOf = (value: unknown, name: string): unknown => (isPlainObject(value) && Object.hasOwn(value, name) ? value[name] : undefined)

export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !('_bsontype' in value) &&
  !(value instanceof Date) &&
  !(value instanceof RegExp)

/** The keys under which a document stands in an index: of a list each item, and the list itself. */
export function keysAt(document: unknown, path: readonly string[]): readonly string[] {
  if (path.length === 0) return Array.isArray(document) ? [...new Set([...document.map(keyOf), keyOf(document)])] : [keyOf(document)]
  const [name = '', ...rest] = path
  if (Array.isArray(document)) return [...new Set(document.flatMap((each) => keysAt(each, path)))]
  return keysAt(memberOf(document, name), rest)
}
