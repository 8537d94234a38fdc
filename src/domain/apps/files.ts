import type { z } from 'zod'

/** A file of a kind, with the name that its path gives it. */
export interface Found {
  readonly path: string
  readonly name: string
}

/** One line about what is wrong: file, path in it, and the fault. */
export const faultsOf = (file: string, path: readonly PropertyKey[], fault: string): string =>
  path.length === 0 ? `${file}: ${fault}` : `${file}: ${path.map(String).join('.')}: ${fault}`

/** Reads one JSON file by a schema. What is wrong is added to `faults`; `otherwise` is answered when there is no such file, or a fault. */
export function readJson<T>(files: ReadonlyMap<string, string>, path: string, schema: z.ZodType<T>, otherwise: T, faults: string[]): T {
  const text = files.get(path)
  if (text === undefined) return otherwise
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    faults.push(faultsOf(path, [], `is not JSON: ${(error as Error).message}`))
    return otherwise
  }
  return readPart(path, [], json, schema, faults) ?? otherwise
}

/** Reads a part of a file by its own schema, so that a fault in one part hides none in another; `undefined` when there is one. */
export function readPart<T>(file: string, at: readonly string[], json: unknown, schema: z.ZodType<T>, faults: string[]): T | undefined {
  const { success, data, error } = schema.safeParse(json)
  if (success) return data
  for (const issue of error.issues) faults.push(faultsOf(file, [...at, ...issue.path], sentenceOf(issue)))
  return undefined
}

/** What zod says, in words of one kind: what must be there, and what is. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `must be ${articled(issue.expected)}`
  if (issue.code === 'invalid_value') return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
  if (issue.code === 'invalid_union')
    return `must be ${issue.errors.map((each) => each[0] && sentenceOf(each[0])).join(', or ')}`.replace(/must be must be/g, 'must be')
  return issue.message
}

const articled = (type: string) => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`)
