import { type DescEnum, type DescField, type DescMessage, isFieldSet, type Message } from '@bufbuild/protobuf'
import {
  type BytesRules,
  BytesRulesSchema,
  type DurationRules,
  DurationRulesSchema,
  type EnumRules,
  EnumRulesSchema,
  type FieldRules,
  type RepeatedRules,
  RepeatedRulesSchema,
  type StringRules,
  StringRulesSchema,
  UInt32RulesSchema,
  UInt64RulesSchema,
} from '@zitadel/proto/validate/validate_pb.js'
import { type Duration, formatGoDuration, nanosecondsOf } from './goDuration.ts'

/** Answers why a value is not acceptable, in the words of protoc-gen-validate, or `undefined`. */
export type Constraint<T = unknown> = (value: T) => string | undefined

/**
 * What `validate.rules` demand of one value of a field; for a list, of each of its items or of the list itself, as the rules are for.
 * @throws TypeError for a rule that ZITADEL did not use when this was written
 */
export function constraintsOf({ type }: FieldRules, field: DescField): readonly Constraint[] {
  // A descriptor has rules only of its field's own kind.
  switch (type.case) {
    case undefined:
      return []
    case 'string':
      return stringConstraints(type.value) as Constraint[]
    case 'bytes':
      return bytesConstraints(type.value) as Constraint[]
    case 'enum':
      return enumConstraints(type.value, field.enum as DescEnum) as Constraint[]
    case 'repeated':
      return listConstraints(type.value) as Constraint[]
    case 'duration':
      return durationConstraints(type.value) as Constraint[]
    case 'bool':
      return [(value) => (value === type.value.const ? undefined : `value must equal ${type.value.const}`)]
    case 'timestamp':
      return []
    case 'uint32':
      return numberConstraints(settings(UInt32RulesSchema, type.value, bounds))
    case 'uint64':
      return numberConstraints(settings(UInt64RulesSchema, type.value, bounds))
    default:
      throw new TypeError(`there are rules of the kind ${type.case} at ${field}`)
  }
}

function stringConstraints(rules: StringRules): Constraint<string>[] {
  const { minLen, maxLen, len, maxBytes, prefix } = settings(StringRulesSchema, rules, [
    'minLen',
    'maxLen',
    'len',
    'maxBytes',
    'prefix',
    'email',
    'uriRef',
    'ignoreEmpty',
  ])
  const constraints: Constraint<string>[] = [
    ...size(len ?? minLen, len ?? maxLen, 'runes', runeCount),
    ...size(undefined, maxBytes, 'bytes', (text: string) => Buffer.byteLength(text)),
  ]
  if (prefix !== undefined)
    constraints.push((text) => (text.startsWith(prefix) ? undefined : `value does not have prefix ${JSON.stringify(prefix)}`))
  if (rules.wellKnown.case === 'email')
    constraints.push((text) => (emailForm.test(text) ? undefined : 'value must be a valid email address'))
  if (rules.wellKnown.case === 'uriRef') constraints.push((text) => (uriForm.test(text) ? undefined : 'value must be a valid URI'))
  if (!rules.ignoreEmpty) return constraints
  return constraints.map((constraint) => (text) => (text === '' ? undefined : constraint(text)))
}

type Whole = number | bigint
const bounds = ['gt', 'gte', 'lt', 'lte'] as const

/** Of whole numbers, which are bigints where they have 64 bits. */
function numberConstraints({ gt, gte, lt, lte }: { readonly [Bound in (typeof bounds)[number]]?: Whole }): Constraint[] {
  const constraint = (bound: Whole | undefined, words: string, passes: (value: Whole, bound: Whole) => boolean): Constraint[] =>
    bound === undefined ? [] : [(value) => (passes(value as Whole, bound) ? undefined : `value must be ${words} ${bound}`)]
  return [
    ...constraint(gt, 'greater than', (value, bound) => value > bound),
    ...constraint(gte, 'greater than or equal to', (value, bound) => value >= bound),
    ...constraint(lt, 'less than', (value, bound) => value < bound),
    ...constraint(lte, 'less than or equal to', (value, bound) => value <= bound),
  ]
}

const bytesConstraints = (rules: BytesRules): Constraint<Uint8Array>[] => {
  const { minLen, maxLen } = settings(BytesRulesSchema, rules, ['minLen', 'maxLen'])
  return size(minLen, maxLen, 'bytes', (bytes: Uint8Array) => bytes.byteLength)
}

function enumConstraints(rules: EnumRules, { values }: DescEnum): Constraint<number>[] {
  const { definedOnly } = settings(EnumRulesSchema, rules, ['definedOnly', 'notIn'])
  const defined = new Set(values.map(({ number }) => number))
  const constraints: Constraint<number>[] = []
  if (rules.notIn.length > 0) {
    constraints.push((value) => (rules.notIn.includes(value) ? `value must not be in list [${rules.notIn.join(' ')}]` : undefined))
  }
  if (definedOnly) constraints.push((value) => (defined.has(value) ? undefined : 'value must be one of the defined enum values'))
  return constraints
}

function listConstraints(rules: RepeatedRules): Constraint<readonly unknown[]>[] {
  const { minItems, maxItems, unique } = settings(RepeatedRulesSchema, rules, ['minItems', 'maxItems', 'unique', 'items'])
  const constraints = itemCount(minItems, maxItems)
  if (unique) constraints.push((items) => (new Set(items).size === items.length ? undefined : 'repeated value must contain unique items'))
  return constraints
}

function itemCount(min: bigint | undefined, max: bigint | undefined): Constraint<readonly unknown[]>[] {
  if (min === undefined && max === undefined) return []
  const bounds =
    min === max
      ? `exactly ${min} item(s)`
      : min !== undefined && max !== undefined
        ? `between ${min} and ${max} items, inclusive`
        : min !== undefined
          ? `at least ${min} item(s)`
          : `no more than ${max} item(s)`
  return [({ length }) => (length >= (min ?? 0) && length <= (max ?? length) ? undefined : `value must contain ${bounds}`)]
}

function durationConstraints(rules: DurationRules): Constraint<Duration>[] {
  const { const: only, gt, gte, lte } = settings(DurationRulesSchema, rules, ['const', 'gt', 'gte', 'lte', 'required'])
  const above = (value: Duration, limit: Duration) => nanosecondsOf(value) > nanosecondsOf(limit)
  const same = (value: Duration, limit: Duration) => nanosecondsOf(value) === nanosecondsOf(limit)
  if (only) return [(value) => (same(value, only) ? undefined : `value must equal ${formatGoDuration(only)}`)]
  const low = gt ?? gte
  const tooLow = (value: Duration) => (gt ? !above(value, gt) : gte ? above(gte, value) : false)
  const tooHigh = (value: Duration) => (lte ? above(value, lte) : false)
  if (low && lte) {
    const reason = `value must be inside range ${gt ? '(' : '['}${formatGoDuration(low)}, ${formatGoDuration(lte)}]`
    return [(value) => (tooLow(value) || tooHigh(value) ? reason : undefined)]
  }
  if (low)
    return [(value) => (tooLow(value) ? `value must be greater than ${gt ? '' : 'or equal to '}${formatGoDuration(low)}` : undefined)]
  return lte ? [(value) => (tooHigh(value) ? `value must be less than or equal to ${formatGoDuration(lte)}` : undefined)] : []
}

/** At least `min` and at most `max` of `unit`. */
function size<T>(min: bigint | undefined, max: bigint | undefined, unit: string, measure: (value: T) => number): Constraint<T>[] {
  if (min === undefined && max === undefined) return []
  const bounds =
    min === max
      ? `${min} ${unit}`
      : min !== undefined && max !== undefined
        ? `between ${min} and ${max} ${unit}, inclusive`
        : min !== undefined
          ? `at least ${min} ${unit}`
          : `at most ${max} ${unit}`
  const least = Number(min ?? 0)
  const most = Number(max ?? Number.POSITIVE_INFINITY)
  return [
    (value) => {
      const measured = measure(value)
      return measured >= least && measured <= most ? undefined : `value length must be ${bounds}`
    },
  ]
}

/** The rules that are set, so that one left out differs from one that is zero. @throws TypeError when one is set that `known` lacks */
function settings<T extends Message>(
  schema: DescMessage & { readonly fields: readonly DescField[] },
  rules: T,
  known: readonly string[],
): Partial<T> {
  const set = schema.fields.filter((field) => isFieldSet(rules, field))
  const unknown = set.find((field) => !known.includes(field.localName))
  if (unknown) throw new TypeError(`there is a rule ${unknown}`)
  return Object.fromEntries(
    set.map((field) => [field.localName, (rules as unknown as Record<string, unknown>)[field.localName]]),
  ) as Partial<T>
}

function runeCount(text: string): number {
  let count = text.length
  for (let at = 1; at < text.length; at += 1)
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) count -= 1
  return count
}

/** An address as net/mail reads it, without the quoted forms that nobody uses. */
const emailForm = /^[^\s@<>(),:;\\"[\]]{1,64}@[^\s@<>(),:;\\"[\]]{1,253}$/
/** What Go's parser of addresses takes: no control characters and no broken escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const uriForm = /^(?:[^\u0000-\u001f\u007f%]|%[0-9a-f]{2})*$/i
