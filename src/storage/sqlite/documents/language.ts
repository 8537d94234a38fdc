/** MongoDB's query and update language, by mingo. Whatever it does not take is refused in its words. */

import type { Document } from 'bson'
import { Aggregator, update as applyUpdate, Query } from 'mingo'
import { DocumentsRefused } from '#src/domain/documents/failures.ts'
import { isPlainObject, plainOf } from './values.ts'

/** What would run code, or write elsewhere. */
const forbidden = new Set(['$where', '$function', '$accumulator', '$out', '$merge'])

const options = { scriptEnabled: false, useStrictMode: true } as const

function assertHarmless(value: unknown): void {
  if (Array.isArray(value)) for (const each of value) assertHarmless(each)
  else if (isPlainObject(value)) {
    for (const [name, each] of Object.entries(value)) {
      if (forbidden.has(name)) throw new DocumentsRefused(`${name} is not allowed here`)
      assertHarmless(each)
    }
  }
}

function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof DocumentsRefused) throw error
    throw new DocumentsRefused((error as Error).message, { cause: error })
  }
}

/** Whether a document passes a filter. */
export function matcherOf(filter: Document): (plain: Document) => boolean {
  assertHarmless(filter)
  const query = refusing(() => new Query(plainOf(filter), options))
  return (plain) => refusing(() => query.test(plain))
}

/** What a pipeline makes of documents; `resolve` has those of another collection. */
export function aggregated(
  documents: Iterable<Document>,
  pipeline: readonly Document[],
  resolve: (name: string) => Document[],
): Document[] {
  assertHarmless(pipeline)
  return refusing(() =>
    new Aggregator(plainOf([...pipeline]), { ...options, collectionResolver: resolve }).run(documents as never),
  ) as Document[]
}

/** A document after an update, by operators or a pipeline, for which it was found by `filter`. The one given is not changed. */
export function updated(
  plain: Document,
  update: Document | readonly Document[],
  { filter = {}, arrayFilters = [] }: { readonly filter?: Document; readonly arrayFilters?: readonly Document[] | undefined } = {},
): Document {
  assertHarmless(update)
  if (Array.isArray(update)) {
    const [after] = aggregated([structuredCopy(plain)], update as readonly Document[], () => [])
    if (!after) throw new DocumentsRefused('the pipeline of an update must keep the document')
    return after
  }
  const names = Object.keys(update)
  if (names.length === 0 || names.some((name) => !name.startsWith('$'))) {
    throw new DocumentsRefused('the update operation document must contain atomic operators', { number: 9 })
  }
  const after = structuredCopy(plain)
  const condition = isPositional(update as Document) ? plainOf(fieldsOf(filter)) : {}
  refusing(() =>
    applyUpdate(after, plainOf(update) as never, plainOf([...arrayFilters]) as never, condition, { queryOptions: options } as never),
  )
  return after
}

/** Whether `$` in a path stands for the item of a list that the filter found. */
const isPositional = (update: Document) =>
  Object.values(update).some((fields) => isPlainObject(fields) && Object.keys(fields).some((path) => path.split('.').includes('$')))

/** What a filter says of fields, those in `$and` too. */
function fieldsOf(filter: Document): Document {
  const { $and, ...rest } = filter
  const fields = Object.entries(rest).filter(([name]) => !name.startsWith('$'))
  return Object.assign({}, ...(Array.isArray($and) ? $and.map(fieldsOf) : []), Object.fromEntries(fields))
}

const structuredCopy = (document: Document): Document => plainOf(document)

/** The document that an upsert begins with: what the filter says that it is. */
export function seedOf(filter: Document): Document {
  const seed: Record<string, unknown> = {}
  const add = (part: Document) => {
    for (const [name, value] of Object.entries(part)) {
      if (name === '$and' && Array.isArray(value)) value.forEach(add)
      else if (!name.startsWith('$')) {
        const [operator] = isPlainObject(value) ? Object.keys(value) : []
        if (operator === '$eq') put(seed, name.split('.'), (value as Document).$eq)
        else if (!operator?.startsWith('$') && !(value instanceof RegExp)) put(seed, name.split('.'), value)
      }
    }
  }
  add(filter)
  return seed
}

function put(target: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  const next = rest.length === 0 ? value : isPlainObject(target[name]) && Object.hasOwn(target, name) ? target[name] : {}
  Object.defineProperty(target, name, { value: next, enumerable: true, writable: true, configurable: true })
  if (rest.length > 0) put(next as Record<string, unknown>, rest, value)
}
