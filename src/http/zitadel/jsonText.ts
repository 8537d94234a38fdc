import { isUtf8 } from 'node:buffer'
import type { JsonValue } from '@bufbuild/protobuf'
import { StatusError } from './errors.ts'

/** Queries may be 20 deep in each other, and each of them is three. */
const maxDepth = 80

/** The value that the bytes of a JSON document stand for. @throws StatusError 400 with the words of Go's decoder */
export function parseJson(bytes: Buffer): { readonly text: string; readonly value: JsonValue } {
  if (!isUtf8(bytes)) throw new StatusError('invalidArgument', 'proto: syntax error: invalid UTF-8 in string')
  const text = bytes.toString('utf8')
  if (depthOf(text) > maxDepth) throw new StatusError('invalidArgument', 'exceeded max depth')
  try {
    return { text, value: JSON.parse(text) }
  } catch (error) {
    throw new StatusError('invalidArgument', faultOf(text, (error as SyntaxError).message))
  }
}

/** How deep arrays and objects lie in each other. It counts instead of descending: this runs before anything that descends. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === 0x22) at = endOfString(text, at)
    else if (character === 0x7b || character === 0x5b) {
      depth += 1
      if (depth > deepest) deepest = depth
    } else if (character === 0x7d || character === 0x5d) depth -= 1
  }
  return deepest
}

function endOfString(text: string, start: number): number {
  let at = start
  for (;;) {
    at = text.indexOf('"', at + 1)
    if (at < 0) return text.length
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes += 1
    if (backslashes % 2 === 0) return at
  }
}

/** What V8 says of a fault, beside what Go says of it. */
const places: readonly (readonly [RegExp, string])[] = [
  [/property name/, 'looking for beginning of object key string'],
  [/after property value/, 'after object key:value pair'],
  [/after array element/, 'after array element'],
  [/':' after/, 'after object key'],
  [/control character/, 'in string literal'],
  [/escape/, 'in string escape code'],
  [/after JSON/, 'after top-level value'],
  [/number/, 'in numeric literal'],
]

function faultOf(text: string, message: string): string {
  const position = /at position (\d+)/.exec(message)?.[1]
  const character =
    position === undefined
      ? /^Unexpected token '(.+?)',/su.exec(message)?.[1]
      : String.fromCodePoint(text.codePointAt(Number(position)) ?? 0)
  const ended = position === undefined ? character === undefined : Number(position) >= text.length
  if (ended || character === undefined) return 'unexpected EOF'
  const place = places.find(([sign]) => sign.test(message))?.[1] ?? 'looking for beginning of value'
  return `invalid character ${quoted(character)} ${place}`
}

const quoted = (character: string) => (character === "'" ? `'\\''` : `'${JSON.stringify(character).slice(1, -1).replace('\\"', '"')}'`)
