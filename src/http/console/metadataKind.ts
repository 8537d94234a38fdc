/** What a value of metadata looks like. Nobody says what it is: it is bytes. */

const imageTypes = { png: 'image/png', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' } as const

type ImageKind = keyof typeof imageTypes
export type ValueKind = 'number' | 'json' | 'text' | 'bytes' | ImageKind

const startsWith = (bytes: Buffer, ...expected: readonly number[]) => expected.every((byte, index) => bytes[index] === byte)

/** Formats of pixels only: what can hold a script (SVG) is none of them. */
function imageKindOf(bytes: Buffer): ImageKind | undefined {
  if (startsWith(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png'
  if (startsWith(bytes, 0xff, 0xd8, 0xff)) return 'jpeg'
  if (/^GIF8[79]a/.test(bytes.toString('latin1', 0, 6))) return 'gif'
  return /^RIFF.{4}WEBP/s.test(bytes.toString('latin1', 0, 12)) ? 'webp' : undefined
}

/** The media type of a value that is an image. */
export const imageTypeOf = (kind: ValueKind): string | undefined =>
  Object.hasOwn(imageTypes, kind) ? imageTypes[kind as ImageKind] : undefined

/** The text that bytes are, `undefined` when they are none. Of a beginning the last character may be cut. */
export function textOf(bytes: Uint8Array, isBeginning = false): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isBeginning })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what tells bytes from text
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** What a value looks like, by all of it or by its beginning. */
export function kindOf(value: Uint8Array, isBeginning = false): ValueKind {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const image = imageKindOf(bytes)
  if (image) return image
  const text = textOf(bytes, isBeginning)
  if (text === undefined) return 'bytes'
  if (!isBeginning && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return 'number'
  return looksLikeJson(text, isBeginning) ? 'json' : 'text'
}

function looksLikeJson(text: string, isBeginning: boolean): boolean {
  if (!/^\s*(\{\s*["}]|\[\s*["{[\]\d-]|\[\s*(true|false|null))/.test(text)) return false
  if (isBeginning) return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
