/**
 * Rule expressions of App Services (its reference "Rule Expressions"): true, false, or an object whose every member must hold. A member's name is a field of the document, an
 * expansion (`%%user.custom_data.isAdmin`) or an operator (`%or`); its value is what that must be.
 *
 * Owns what an expression means for one document, and which part of it the data source can look for. Knows no role and no collection.
 */
import { type Document, ObjectId, UUID } from 'bson'
import { DomainError } from '#src/base/errors.ts'
import type { AppUser } from '../apps/userObject.ts'

export type Expression = boolean | Readonly<Record<string, unknown>>

/** What an expression may speak of. */
export interface Surroundings {
  readonly user: AppUser
  readonly values: Readonly<Record<string, unknown>>
  readonly environment: { readonly tag: string; readonly values: Readonly<Record<string, unknown>> }
  readonly request: Readonly<Record<string, unknown>>
  /** The document as it is, or as it would be after a write; absent where the rule is about no document. */
  readonly root?: Document
  /** The document before a write. */
  readonly prevRoot?: Document
}

/** A rule cannot be evaluated. Nothing is allowed by it. */
class RuleInvalid extends DomainError {
  readonly code = 'rules.invalid'
}

type Operator = (given: unknown, wanted: unknown) => boolean

const comparisons: Readonly<Record<string, Operator>> = {
  eq: (given, wanted) => equal(given, wanted),
  ne: (given, wanted) => !equal(given, wanted),
  gt: (given, wanted) => (compare(given, wanted) ?? 0) > 0,
  gte: (given, wanted) => (compare(given, wanted) ?? -1) >= 0,
  lt: (given, wanted) => (compare(given, wanted) ?? 0) < 0,
  lte: (given, wanted) => (compare(given, wanted) ?? 1) <= 0,
  in: (given, wanted) => listOf(wanted).some((each) => equal(given, each)),
  nin: (given, wanted) => !listOf(wanted).some((each) => equal(given, each)),
  all: (given, wanted) => listOf(wanted).every((each) => listOf(given).some((own) => same(own, each))),
  exists: (given, wanted) => (given !== undefined) === (wanted !== false),
}

const conversions: Readonly<Record<string, (text: unknown) => unknown>> = {
  stringToOid: (text) => (typeof text === 'string' && ObjectId.isValid(text) && text.length === 24 ? new ObjectId(text) : undefined),
  oidToString: (id) => (isOfType(id, 'ObjectId') ? String(id) : undefined),
  stringToUuid: (text) => (typeof text === 'string' && UUID.isValid(text) ? new UUID(text) : undefined),
  uuidToString: (id) => (isOfType(id, 'Binary') && (id as UUID).sub_type === 4 ? String(new UUID((id as UUID).buffer)) : undefined),
}

/** By its mark: the driver of MongoDB has classes of its own. */
const isOfType = (value: unknown, type: string) =>
  typeof value === 'object' && value !== null && (value as { readonly _bsontype?: string })._bsontype === type

/** Whether an expression holds. @throws RuleInvalid */
export function holds(expression: Expression | undefined, surroundings: Surroundings): boolean {
  if (expression === undefined) return false
  if (typeof expression === 'boolean') return expression
  return Object.entries(expression).every(([name, wanted]) => memberHolds(name, wanted, surroundings))
}

function memberHolds(name: string, wanted: unknown, surroundings: Surroundings): boolean {
  if (name === '%and' || name === '$and') return expressionsOf(name, wanted).every((each) => holds(each, surroundings))
  if (name === '%or' || name === '$or') return expressionsOf(name, wanted).some((each) => holds(each, surroundings))
  if (name === '%nor' || name === '$nor') return !expressionsOf(name, wanted).some((each) => holds(each, surroundings))
  if (name === '%not' || name === '$not') return !expressionsOf(name, [wanted]).some((each) => holds(each, surroundings))
  if (name.startsWith('%') && !name.startsWith('%%')) throw new RuleInvalid(`the operator ${name} is not known here`)
  return matches(name.startsWith('%%') ? expand(name, surroundings) : valueAt(surroundings.root, name), wanted, surroundings)
}

function matches(given: unknown, wanted: unknown, surroundings: Surroundings): boolean {
  if (!isPlain(wanted)) return equal(given, resolve(wanted, surroundings))
  const operators = Object.entries(wanted)
  if (!operators.some(([name]) => isOperator(name))) return equal(given, resolve(wanted, surroundings))
  return operators.every(([name, operand]) => {
    const plainName = name.slice(1)
    if (plainName === 'not') return !matches(given, operand, surroundings)
    if (Object.hasOwn(conversions, plainName)) return equal(given, resolve({ [name]: operand }, surroundings))
    const comparison = Object.hasOwn(comparisons, plainName) ? comparisons[plainName] : undefined
    if (!comparison) throw new RuleInvalid(`the operator ${name} is not known here`)
    return comparison(given, resolve(operand, surroundings))
  })
}

const isOperator = (name: string) => /^[%$][a-zA-Z]/.test(name)

function expressionsOf(name: string, value: unknown): readonly Expression[] {
  const list = Array.isArray(value) ? value : [value]
  if (list.some((each) => typeof each !== 'boolean' && !isPlain(each))) throw new RuleInvalid(`${name} must have expressions`)
  return list
}

/** A value of a rule with its expansions and conversions replaced. */
function resolve(value: unknown, surroundings: Surroundings): unknown {
  if (typeof value === 'string') return value.startsWith('%%') ? expand(value, surroundings) : value
  if (Array.isArray(value)) return value.map((each) => resolve(each, surroundings))
  if (!isPlain(value)) return value
  const entries = Object.entries(value)
  const [name = '', operand] = entries[0] ?? []
  const conversion =
    entries.length === 1 && isOperator(name) && Object.hasOwn(conversions, name.slice(1)) ? conversions[name.slice(1)] : undefined
  if (conversion) return conversion(resolve(operand, surroundings))
  return Object.fromEntries(entries.map(([key, each]) => [key, resolve(each, surroundings)]))
}

/** What an expansion stands for; `undefined` when there is nothing. The documentation writes some with `%%` at the end too. */
function expand(text: string, { user, values, environment, request, root, prevRoot }: Surroundings): unknown {
  const [name = '', ...path] = text.slice(2).replace(/%%$/, '').split('.')
  switch (name) {
    case 'true':
      return true
    case 'false':
      return false
    case 'user':
      return valueAt(user as unknown as Document, path.join('.'))
    case 'root':
    case 'this':
      return valueAt(root, path.join('.'))
    case 'prevRoot':
    case 'prev':
      return valueAt(prevRoot, path.join('.'))
    case 'values':
      return valueAt(values as Document, path.join('.'))
    case 'environment':
      return valueAt(environment as unknown as Document, path.join('.'))
    case 'request':
      return valueAt(request as Document, path.join('.'))
    default:
      throw new RuleInvalid(`the expansion ${text} is not known here`)
  }
}

/** The value at a dotted path, of own members only. Through a list it is the list of what its items have there. */
export function valueAt(document: unknown, path: string): unknown {
  if (path === '') return document
  const [name = '', ...rest] = path.split('.')
  if (Array.isArray(document)) {
    if (/^\d+$/.test(name)) return valueAt(document[Number(name)], rest.join('.'))
    return document.map((each) => valueAt(each, path)).filter((each) => each !== undefined)
  }
  if (!isPlain(document) || !Object.hasOwn(document, name)) return undefined
  return valueAt(document[name], rest.join('.'))
}

export const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !('_bsontype' in value) &&
  !(value instanceof Date) &&
  !(value instanceof RegExp) &&
  !(value instanceof Uint8Array)

/** Whether a field is a value, or a list that has it. What is not there equals null alone. */
function equal(given: unknown, wanted: unknown): boolean {
  // An expansion that stands for nothing must not match a field that is not there.
  if (wanted === undefined) return false
  if (given === undefined) return wanted === null
  return same(given, wanted) || (Array.isArray(given) && given.some((each) => same(each, wanted)))
}

/** Whether two BSON values are the same; numbers of different types are when their values are. */
export function same(a: unknown, b: unknown): boolean {
  const [left, right] = [comparableOf(a), comparableOf(b)]
  if (left !== undefined && right !== undefined) return left === right
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((each, index) => same(each, b[index]))
  if (isPlain(a)) {
    const names = Object.keys(a)
    return isPlain(b) && names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
  }
  return false
}

/** A scalar in a form that `===` compares, by its type; `undefined` for documents and lists. */
function comparableOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return 'null'
  const number = numberOf(value)
  if (number !== undefined) return `number ${number}`
  if (typeof value === 'string') return `string ${value}`
  if (typeof value === 'boolean') return `boolean ${value}`
  if (value instanceof Date) return `date ${value.getTime()}`
  if (value instanceof RegExp) return `regex ${value}`
  if (value instanceof Uint8Array) return `binary ${Buffer.from(value).toString('hex')}`
  if (typeof value === 'object' && '_bsontype' in value) {
    const { _bsontype: type } = value as { readonly _bsontype: string }
    if (type === 'Binary') return `binary ${Buffer.from((value as unknown as { value(): Uint8Array }).value()).toString('hex')}`
    return `${type} ${String(value)}`
  }
  return undefined
}

function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null || !('_bsontype' in value)) return undefined
  const { _bsontype: type } = value as { readonly _bsontype: string }
  return ['Int32', 'Double', 'Long', 'Decimal128'].includes(type) ? Number(String(value)) : undefined
}

/** Below zero, zero or above; `undefined` for values that have no order. */
function compare(a: unknown, b: unknown): number | undefined {
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : left === right ? 0 : undefined
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  return undefined
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])

/** Whether an expression speaks of nothing but who asks: it holds for every document, or for none. */
export const isOfCallerOnly = (expression: Expression): boolean =>
  typeof expression === 'boolean' ||
  Object.entries(expression).every(
    ([name, wanted]) => name.startsWith('%%') && !ofDocument.test(name) && !ofDocument.test(JSON.stringify(wanted) ?? ''),
  )

/** An expansion that stands for something of the document. */
const ofDocument = /%%(root|this|prevRoot|prev)\b/

/**
 * The part of an expression that a data source can look for: every document for which it holds is found by it, and perhaps more. `undefined` when no document can pass.
 */
export function queryOf(expression: Expression, surroundings: Surroundings): Document | undefined {
  if (typeof expression === 'boolean') return expression ? {} : undefined
  const parts: Document[] = []
  for (const [name, wanted] of Object.entries(expression)) {
    if (name === '%or' || name === '$or') {
      const found = expressionsOf(name, wanted).map((each) => queryOf(each, surroundings))
      const some = found.filter((each) => each !== undefined)
      if (some.length === 0) return undefined
      if (some.every((each) => Object.keys(each).length > 0)) parts.push({ $or: some })
    } else if (name === '%and' || name === '$and') {
      for (const each of expressionsOf(name, wanted)) {
        const found = queryOf(each, surroundings)
        if (found === undefined) return undefined
        parts.push(found)
      }
    } else if (name.startsWith('%%') && !/^%%(root|this|prevRoot|prev)\b/.test(name)) {
      // Nothing of the document: it holds or it does not.
      if (!memberHolds(name, wanted, surroundings)) return undefined
    } else if (!/^[%$]/.test(name)) {
      const value = resolvedForQuery(wanted, surroundings)
      if (value !== undefined) parts.push({ [name]: { $eq: value } })
    }
  }
  const some = parts.filter((each) => Object.keys(each).length > 0)
  return some.length === 0 ? {} : some.length === 1 ? some[0] : { $and: some }
}

/** The scalar that a field must be, when that is all that is asked of it. */
function resolvedForQuery(wanted: unknown, surroundings: Surroundings): unknown {
  if (typeof wanted === 'string' && /^%%(root|this|prevRoot|prev)\b/.test(wanted)) return undefined
  if (isPlain(wanted)) {
    const [name = ''] = Object.keys(wanted)
    if (!isOperator(name) || !Object.hasOwn(conversions, name.slice(1)) || Object.keys(wanted).length !== 1) return undefined
  }
  const value = resolve(wanted, surroundings)
  return typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    isOfType(value, 'ObjectId') ||
    isOfType(value, 'Binary')
    ? value
    : undefined
}
