import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { createFaults, type Faults, type Path } from './faults.ts'

export interface SourceDocument {
  /** Plain data; `undefined` when the text could not be read. */
  readonly value: unknown
  readonly faults: Faults
}

/** The data of a YAML or JSON text (JSON is YAML too), with a list of faults that knows on which line a path stands. */
export function readDocument(text: string, name: string): SourceDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line)
  const faults = createFaults(name, (path) => lineAt(offsetOf(document, path)))
  // A warning tells that the text was read as something else than it says, for example under an unknown tag.
  for (const { message, pos } of [...document.errors, ...document.warnings]) {
    faults.addLine(lineAt(pos[0]), `cannot be read as YAML or JSON: ${message}`)
  }
  if (document.errors.length + document.warnings.length > 0) return { value: undefined, faults }
  try {
    return { value: document.toJS({ maxAliasCount: 10_000 }), faults }
  } catch (error) {
    faults.addLine(1, `cannot be read: ${(error as Error).message}`)
    return { value: undefined, faults }
  }
}

/** Where the last part of `path` that exists begins: at the key of a field, at the first character of a list's entry. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      if (!pair) break
      offset = startOf(pair.key) ?? offset
      node = pair.value
    } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
      node = node.items[step]
      offset = startOf(node) ?? offset
    } else break
  }
  return offset
}

const startOf = (node: unknown) => (node as { range?: readonly number[] | null } | null)?.range?.[0]
