/** JSON that people type: what is wrong with it, and where. */

/** Where something stands in a text, for people: both begin at 1. */
interface Place {
  readonly line: number
  readonly column: number
}

export type ReadJson =
  | {
      readonly value: unknown
      /** The lines of an object's members, in their order; of a name that is there twice, both. */
      readonly members: readonly { readonly name: string; readonly line: number }[]
    }
  | { readonly fault: Place }

/** Nobody types what is deeper, and it is read by descending. */
const deepest = 100

class Fault {
  readonly at: number
  constructor(at: number) {
    this.at = at
  }
}

const blank = /[ \t\n\r]*/y
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** Reads a JSON document. What an engine says of a fault has no place in it at times, so the text is gone through here. */
export function readJson(text: string): ReadJson {
  const members: { readonly name: string; readonly line: number }[] = []
  const lineAt = createLineCount(text)
  let at = 0

  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found !== undefined
  }
  const demand = (found: boolean) => {
    if (!found) throw new Fault(at)
  }
  const take = (character: string): boolean => {
    skip(blank)
    const isThere = text[at] === character
    if (isThere) at += 1
    return isThere
  }

  function string(): void {
    demand(text[at] === '"')
    at += 1
    while (text[at] !== '"') {
      demand(at < text.length && text.charCodeAt(at) >= 0x20)
      if (text[at] === '\\') demand(skip(escaped))
      else at += 1
    }
    at += 1
  }

  function member(depth: number): void {
    skip(blank)
    const start = at
    string()
    if (depth === 1) members.push({ name: JSON.parse(text.slice(start, at)), line: lineAt(start) })
    demand(take(':'))
    value(depth)
  }

  function value(depth: number): void {
    demand(depth < deepest)
    skip(blank)
    if (take('{')) list('}', () => member(depth + 1))
    else if (take('[')) list(']', () => value(depth + 1))
    else if (text[at] === '"') string()
    else demand(skip(scalar))
  }

  function list(end: string, each: () => void): void {
    if (take(end)) return
    do each()
    while (take(','))
    demand(take(end))
  }

  try {
    value(0)
    skip(blank)
    demand(at === text.length)
    return { value: JSON.parse(text), members }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const line = createLineCount(text)(error.at)
    return { fault: { line, column: error.at - text.lastIndexOf('\n', error.at - 1) } }
  }
}

/** Counts lines up to places that only go on, so that a long text is gone through once. */
function createLineCount(text: string): (at: number) => number {
  let line = 1
  let counted = 0
  return (at) => {
    for (let next = text.indexOf('\n', counted); next >= 0 && next < at; next = text.indexOf('\n', counted)) {
      line += 1
      counted = next + 1
    }
    return line
  }
}
