/** Metadata that is pasted as text: lines of `key=value`, or a JSON object. */
import { assertAcceptable, type KeyValue, MetadataInvalid, metadataLimits } from '#src/domain/metadata/metadata.ts'
import { readJson } from './jsonPlaces.ts'

/** Something that is wrong with a line. `reason` is a key of texts. */
export interface PasteFault {
  readonly line: number
  readonly reason:
    | 'noKey'
    | 'noEquals'
    | 'notAcceptable'
    | 'twice'
    | 'notBase64'
    | 'nothing'
    | 'notJson'
    | 'notAnObject'
    | 'isThere'
    | 'tooMany'
  readonly key?: string
}

export interface Pasted {
  readonly entries: readonly (KeyValue & { readonly line: number })[]
  readonly faults: readonly PasteFault[]
}

type Read = KeyValue & { readonly line: number }

/** What was pasted, and everything that is wrong with it. JSON is what begins with a brace. */
export function readPaste(text: string): Pasted {
  const { read, faults } = /^\s*\{/.test(text) ? fromJson(text) : fromLines(text)
  const all = [...faults, ...read.flatMap(faultsOfEntry), ...twiceIn(read)]
  if (read.length > metadataLimits.keys) all.push({ line: read[metadataLimits.keys]?.line ?? 1, reason: 'tooMany' })
  if (read.length === 0 && faults.length === 0) all.push({ line: 1, reason: 'nothing' })
  return { entries: read, faults: all.toSorted((a, b) => a.line - b.line) }
}

function faultsOfEntry({ line, key, value }: Read): readonly PasteFault[] {
  try {
    assertAcceptable(key, value)
    return []
  } catch (error) {
    if (!(error instanceof MetadataInvalid)) throw error
    return [{ line, reason: key === '' ? 'noKey' : 'notAcceptable', key }]
  }
}

function twiceIn(read: readonly Read[]): readonly PasteFault[] {
  const seen = new Set<string>()
  return read.flatMap(({ line, key }): PasteFault[] => {
    if (seen.has(key)) return [{ line, reason: 'twice', key }]
    seen.add(key)
    return []
  })
}

interface Half {
  readonly read: readonly Read[]
  readonly faults: readonly PasteFault[]
}

/** Lines that are empty, or begin with `#`, say nothing. */
function fromLines(text: string): Half {
  const read: Read[] = []
  const faults: PasteFault[] = []
  for (const [index, given] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    if (given.trim() === '' || given.trimStart().startsWith('#')) continue
    const equals = given.indexOf('=')
    if (equals < 0) faults.push({ line, reason: 'noEquals' })
    else read.push({ line, key: given.slice(0, equals).trim(), value: Buffer.from(given.slice(equals + 1).trim()) })
  }
  return { read, faults }
}

function fromJson(text: string): Half {
  const found = readJson(text)
  if ('fault' in found) return { read: [], faults: [{ line: found.fault.line, reason: 'notJson' }] }
  const values = found.value as Readonly<Record<string, unknown>>
  const read: Read[] = []
  const faults: PasteFault[] = []
  for (const { name: key, line } of found.members) {
    const value = bytesOf(values[key])
    if (value) read.push({ key, line, value })
    else faults.push({ line, reason: values[key] === null ? 'nothing' : 'notBase64', key })
  }
  return { read, faults }
}

/** Text is itself, `{"base64": …}` the bytes that it says, and anything else its JSON. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (value === null) return undefined
  if (typeof value === 'string') return Buffer.from(value)
  const { base64, ...rest } = Object(value) as { readonly base64?: unknown }
  return typeof base64 === 'string' && Object.keys(rest).length === 0 ? fromBase64(base64) : Buffer.from(JSON.stringify(value))
}

/** Bytes of base64 in any of its spellings; `undefined` for what is none. */
export function fromBase64(text: string): Buffer | undefined {
  const digits = text.replace(/\s+/g, '').replace(/={0,2}$/, '')
  return /^[A-Za-z0-9+/_-]*$/.test(digits) && digits.length % 4 !== 1 ? Buffer.from(digits, 'base64') : undefined
}
