import type { Document } from 'bson'
import { isPlain } from './expressions.ts'

/** A document with the fields that a projection names, or without them. Of MongoDB's projections the plain ones: ones and zeros. @throws what `refuse` makes */
export function projected(document: Document, projection: Document | undefined, refuse: (reason: string) => Error): Document {
  const entries = Object.entries(projection ?? {})
  if (entries.length === 0) return document
  const kinds = entries.map(([name, value]) => {
    const isNamed = typeof value === 'boolean' ? value : Number(String(value)) !== 0
    if (typeof value !== 'boolean' && Number.isNaN(Number(String(value))))
      throw refuse(`the projection of ${JSON.stringify(name)} must be 0 or 1 where rules apply`)
    return { path: name.split('.'), isNamed }
  })
  const others = kinds.filter(({ path }) => path.join('.') !== '_id')
  const isInclusion = others.length > 0 ? others.some(({ isNamed }) => isNamed) : kinds.some(({ isNamed }) => isNamed)
  if (isInclusion && others.some(({ isNamed }) => !isNamed)) throw refuse('a projection names what is there or what is not, not both')
  const id = kinds.find(({ path }) => path.join('.') === '_id')
  if (!isInclusion) return kinds.reduce<Document>((rest, { path, isNamed }) => (isNamed ? rest : without(rest, path)), document)
  const paths = others.map(({ path }) => path)
  const kept = only(document, paths)
  return id?.isNamed === false || !Object.hasOwn(document, '_id') ? kept : { _id: document._id, ...kept }
}

function without(document: Document, [name = '', ...rest]: readonly string[]): Document {
  if (!Object.hasOwn(document, name)) return document
  if (rest.length === 0) return Object.fromEntries(Object.entries(document).filter(([key]) => key !== name))
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [key, key === name ? below(value, (each) => without(each, rest)) : value]),
  )
}

function only(document: Document, paths: readonly (readonly string[])[]): Document {
  return Object.fromEntries(
    Object.entries(document).flatMap(([key, value]) => {
      const own = paths.filter(([name]) => name === key).map(([, ...rest]) => rest)
      if (own.length === 0) return []
      if (own.some((rest) => rest.length === 0)) return [[key, value]]
      return Array.isArray(value) || isPlain(value) ? [[key, below(value, (each) => only(each, own))]] : []
    }),
  )
}

const below = (value: unknown, act: (document: Document) => Document): unknown =>
  Array.isArray(value) ? value.map((each) => (isPlain(each) ? act(each) : each)) : isPlain(value) ? act(value) : value
