import { type DescField, type DescMessage, type DescOneof, getOption, type Message } from '@bufbuild/protobuf'
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt'
import { required, rules } from '@zitadel/proto/validate/validate_pb.js'
import { type Constraint, constraintsOf } from './constraints.ts'
import { StatusError } from './errors.ts'
import { hasOwnFields } from './protojson.ts'

/** Answers what is wrong with a message, in the words of protoc-gen-validate, or `undefined`. */
type Check = (message: Message) => string | undefined
type Parts = Readonly<Record<string, unknown>>

const checks = new Map<DescMessage, Check>()

/** Holds `message` against the `validate.rules` of its descriptor. @throws StatusError 400 with the first fault */
export function validate(schema: DescMessage, message: Message): void {
  const fault = checkOf(schema)(message)
  if (fault !== undefined) throw new StatusError('invalidArgument', fault)
}

/** The rules of a message as one function, made once. @throws TypeError for a rule that is not known */
export function checkOf(schema: DescMessage): Check {
  const known = checks.get(schema)
  if (known) return known
  let steps: readonly Check[] = []
  const check: Check = (message) => {
    for (const step of steps) {
      const fault = step(message)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  // Before the fields are looked at: a message may contain itself.
  checks.set(schema, check)
  steps = stepsOf(schema)
  return check
}

/** In the order of protoc-gen-validate: plain fields, oneofs, optional fields. */
function stepsOf(schema: DescMessage): Check[] {
  const name = goName(schema)
  const single = schema.fields.filter(({ oneof }) => !oneof)
  const optional = (field: DescField) => field.fieldKind !== 'message' && field.presence === FeatureSet_FieldPresence.EXPLICIT
  return [
    ...single.filter((field) => !optional(field)).flatMap((field) => fieldStep(name, field, (parts) => parts[field.localName])),
    ...schema.oneofs.flatMap((oneof) => oneofSteps(name, oneof)),
    ...single.filter(optional).flatMap((field) => fieldStep(name, field, (parts) => parts[field.localName])),
  ]
}

function oneofSteps(name: string, oneof: DescOneof): Check[] {
  const chosen = (parts: Parts) => parts[oneof.localName] as { case?: string; value?: unknown }
  const steps = oneof.fields.flatMap((field) =>
    fieldStep(name, field, (parts) => (chosen(parts).case === field.localName ? chosen(parts).value : undefined)),
  )
  if (!getOption(oneof, required)) return steps
  const fault = `invalid ${name}.${camel(oneof.name)}: value is required`
  return [...steps, (message) => (chosen(message as unknown as Parts).case === undefined ? fault : undefined)]
}

/** The check of one field, if there is anything to check. A field that is not there is judged by whether it is required. */
function fieldStep(name: string, field: DescField, read: (parts: Parts) => unknown): Check[] {
  const demands = getOption(field, rules)
  const own = constraintsOf(demands, field)
  const itemRules = demands.type.case === 'repeated' ? demands.type.value.items : undefined
  const embedded: Constraint[] =
    field.fieldKind !== 'map' && hasOwnFields(field.message) && !demands.message?.skip ? [embeddedIn(field.message)] : []
  const items = field.fieldKind === 'list' ? [...(itemRules ? constraintsOf(itemRules, field) : []), ...embedded] : []
  const values = field.fieldKind === 'list' ? own : [...own, ...embedded]
  const isRequired =
    demands.message?.required || ('required' in (demands.type.value ?? {}) && (demands.type.value as Parts).required === true)
  if (values.length + items.length === 0 && !isRequired) return []

  const where = `invalid ${name}.${camel(field.name)}`
  return [
    (message) => {
      const value = read(message as unknown as Parts)
      if (value === undefined) return isRequired ? `${where}: value is required` : undefined
      const reason = firstReason(values, value)
      if (reason !== undefined) return `${where}: ${reason}`
      if (items.length === 0) return undefined
      const list = value as readonly unknown[]
      for (let index = 0; index < list.length; index += 1) {
        const fault = firstReason(items, list[index])
        if (fault !== undefined) return `${where}[${index}]: ${fault}`
      }
      return undefined
    },
  ]
}

function embeddedIn(schema: DescMessage): Constraint {
  const check = checkOf(schema)
  return (value) => {
    const cause = check(value as Message)
    return cause === undefined ? undefined : `embedded message failed validation | caused by: ${cause}`
  }
}

function firstReason(constraints: readonly Constraint[], value: unknown): string | undefined {
  for (const constraint of constraints) {
    const reason = constraint(value)
    if (reason !== undefined) return reason
  }
  return undefined
}

/** What Go calls a message: a nested one by its parents' names too. */
const goName = ({ typeName, file }: DescMessage): string => typeName.slice(file.proto.package.length + 1).replaceAll('.', '_')

/** What Go calls a field. */
const camel = (name: string): string => name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
