import { DomainError } from '#src/base/errors.ts'

/** Where something stands in a configuration file: `['projects', 0, 'name']`. */
export type Path = readonly (string | number)[]

/** Everything that is wrong with a configuration file, one line each: `FILE:LINE: path: reason`. Nothing was written. */
export class FileFaults extends DomainError {
  readonly code = 'provisioning.faults'
  readonly lines: readonly string[]
  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}

export interface Faults {
  add(path: Path, reason: string): void
  /** A fault of the document itself, which has no path. */
  addLine(line: number, reason: string): void
  /** @throws FileFaults when there are any, in the order of their lines */
  throwIfAny(): void
}

/** Collects what is wrong with the file `name`; `lineOf` tells on which line a path stands. */
export function createFaults(name: string, lineOf: (path: Path) => number): Faults {
  const found: { line: number; text: string }[] = []
  const push = (line: number, where: string, reason: string) => found.push({ line, text: `${name}:${line}: ${where}: ${reason}` })
  return {
    add: (path, reason) => void push(lineOf(path), textOf(path), reason),
    addLine: (line, reason) => void push(line, textOf([]), reason),
    throwIfAny() {
      if (found.length === 0) return
      const inOrder = found.toSorted((a, b) => a.line - b.line).map(({ text }) => text)
      throw new FileFaults([...new Set(inOrder)])
    },
  }
}

/** `projects[0].name`; a name that is no plain word is quoted. */
export function textOf(path: Path): string {
  if (path.length === 0) return 'document'
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      if (!/^[\w$.-]+$/.test(step)) return `[${JSON.stringify(step)}]`
      return index === 0 ? step : `.${step}`
    })
    .join('')
}
