/** What the bytes of a value seem to be. It is a guess: whoever wrote them may have meant something else. */
type ValueKind = 'text' | 'number' | 'json' | 'image' | 'bytes'

export interface GuessedValue {
  readonly kind: ValueKind
  /** Of everything that is text. */
  readonly text?: string
  /** The media type of an image. */
  readonly type?: string
}

/** How images begin that every browser shows and that run nothing. */
const images: readonly (readonly [type: string, start: RegExp])[] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^474946383[79]61/],
  ['image/webp', /^52494646.{8}57454250/],
]

/** A guess by all of a value, or by its beginning, of which the last character may be cut. */
export function guessValue(bytes: Uint8Array, isBeginning = false): GuessedValue {
  const start = Buffer.from(bytes.subarray(0, 12)).toString('hex')
  const image = images.find(([, pattern]) => pattern.test(start))
  if (image) return { kind: 'image', type: image[0] }
  const text = textOf(bytes, isBeginning)
  if (text === undefined) return { kind: 'bytes' }
  if (isBeginning) return { kind: /^\s*(?:\{\s*"|\[\s*["{[\d-])/.test(text) ? 'json' : 'text', text }
  if (/^-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?$/.test(text)) return { kind: 'number', text }
  return { kind: /^\s*[[{]/.test(text) && isJson(text) ? 'json' : 'text', text }
}

/** The bytes as text, if they are UTF-8 without characters that nobody types. */
function textOf(bytes: Uint8Array, isBeginning: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isBeginning })
    return /[^\P{Cc}\t\n\r]/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
