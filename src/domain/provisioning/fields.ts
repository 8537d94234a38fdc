import { z } from 'zod'
import { parseDurationSeconds } from '#src/base/duration.ts'
import { isEmailAddress, isLanguageTag } from '#src/base/forms.ts'
import type { Faults, Path } from './faults.ts'

/** The fields of `shape` that `given` has and that are as they should be. */
export type Fields<S extends z.ZodRawShape> = { readonly [K in keyof S]?: z.output<S[K]> }

/**
 * Reads an object field by field, so that one fault hides no other: what is wrong is added to `faults`, what is right is answered.
 * `required` fields must be there.
 */
export function readFields<S extends z.ZodRawShape>(
  shape: S,
  given: unknown,
  path: Path,
  faults: Pick<Faults, 'add'>,
  { required = [] }: { required?: readonly (keyof S & string)[] } = {},
): Fields<S> {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    faults.add(path, `must be ${articled('object')}, not ${nameOf(given)}`)
    return {}
  }
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const schema = Object.hasOwn(shape, name) ? (shape[name] as z.ZodType) : undefined
    if (!schema) faults.add([...path, name], unknownField(name, Object.keys(shape)))
    else {
      const { success, data, error } = schema.safeParse(value, { error: reasonOf })
      if (success) values[name] = data
      else for (const issue of error.issues) addIssue(issue, [...path, name], faults)
    }
  }
  for (const name of required) if (!Object.hasOwn(given, name)) faults.add([...path, name], 'is missing')
  return values as Fields<S>
}

/** Reads `given` with one schema, as `readFields` does. */
export function readValue<T>(schema: z.ZodType<T>, given: unknown, path: Path, faults: Faults): T | undefined {
  const { success, data, error } = schema.safeParse(given, { error: reasonOf })
  if (success) return data
  for (const issue of error.issues) addIssue(issue, path, faults)
  return undefined
}

function addIssue(issue: z.core.$ZodIssue, path: Path, faults: Pick<Faults, 'add'>): void {
  const at = [...path, ...(issue.path as (string | number)[])]
  if (issue.code === 'unrecognized_keys') for (const key of issue.keys) faults.add([...at, key], unknownField(key, []))
  else faults.add(at, issue.message)
}

/** What to say of a field that the format does not have, with the one that was probably meant. */
function unknownField(name: string, known: readonly string[]): string {
  const nearest = known.map((each) => ({ each, distance: distanceOf(name.toLowerCase(), each.toLowerCase()) }))
  const [meant] = nearest.filter(({ distance }) => distance <= 2).sort((a, b) => a.distance - b.distance)
  return meant ? `there is no such field; did you mean ${meant.each}?` : 'there is no such field'
}

/** How many letters must be added, taken away or replaced to make `a` of `b` (Levenshtein). */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

const reasonOf: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is missing'
    const quote = issue.expected === 'string' && ['number', 'boolean', 'bigint'].includes(typeof issue.input) ? '; put it in quotes' : ''
    return `must be ${articled(issue.expected)}, not ${nameOf(issue.input)}${quote}`
  }
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(' or ')}`
  if (issue.code === 'too_small') return 'must not be empty'
  if (issue.code === 'too_big') return `must have at most ${issue.maximum} characters`
  return undefined
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of fields',
  record: 'a group of fields',
  number: 'a number',
  bigint: 'a number',
}

const articled = (type: string) => words[type] ?? type

/** The kind of `value` in a sentence. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  return articled(Array.isArray(value) ? 'array' : typeof value)
}

/** Text in which `isRight` holds; otherwise it "must be" what `what` says. */
const textThat = (isRight: (value: string) => boolean, what: string) => z.string().refine(isRight, `must be ${what}`)

export const text = z.string().min(1).max(1000)
/** What it has to look like depends on what it was: see names.ts. */
export const name = z.string()
export const flag = z.boolean()

/** Ids of projects and applications: they stand in scopes and addresses. */
export const recordId = textThat((value) => /^[\w-]{1,64}$/.test(value), '1 to 64 letters, digits, hyphens or underscores')
export const userId = textThat((value) => /^[0-9a-f]{24}$/.test(value), '24 hexadecimal characters in lower case')
export const clientId = textThat(
  (value) => /^[\x21-\x39\x3b-\x7e]{1,200}$/.test(value),
  '1 to 200 printable ASCII characters without blanks and colons',
)
export const roleKey = textThat(
  (value) => /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(value),
  '1 to 200 printable ASCII characters without blanks, quotes and backslashes',
)
export const domainName = textThat(
  (value) => value.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value),
  'a host name such as acme.example',
)
export const email = textThat(isEmailAddress, 'an e-mail address')
export const locale = textThat(isLanguageTag, 'a language tag (BCP 47) such as en or de-CH')

const durationForm = 'must be a duration such as 90s, 15m, 12h or 30d'

/** A duration as seconds, between `least` and `most`. */
export const duration = (least: number, most: number, what: string) =>
  z.string(durationForm).transform((value, context) => {
    try {
      const seconds = parseDurationSeconds(value)
      if (seconds >= least && seconds <= most) return seconds
      context.addIssue({ code: 'custom', message: `must be ${what}` })
    } catch {
      context.addIssue({ code: 'custom', message: durationForm })
    }
    return z.NEVER
  })

/** An address that browsers or servers are sent to, which is never compared. */
export const webAddress = textThat((value) => isWeb(parsed(value)) && !value.includes('#'), 'an http or https address without a fragment')
/** The same where a fragment may stand: it names a version of what is there (OpenID Connect Core, section 6.2). */
export const versionedAddress = textThat((value) => isWeb(parsed(value)), 'an http or https address')
export const httpsAddress = textThat(
  (value) => parsed(value)?.protocol === 'https:' && !value.includes('#'),
  'an https address without a fragment',
)
export const origin = textThat((value) => {
  const url = parsed(value)
  return isWeb(url) && url.origin === value && (url.protocol === 'https:' || isLoopback(url))
}, 'a bare https origin, or an http one of this machine, such as https://app.example: no path, no trailing slash')

export function parsed(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined
}

const isWeb = (url: URL | undefined): url is URL => url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== ''
export const isLoopback = ({ hostname }: URL) => hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
