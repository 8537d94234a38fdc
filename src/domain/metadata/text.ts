import type { KeyValue } from './metadata.ts'

/**
 * Metadata as one JSON text, key to unpadded base64url of the bytes, in the order of `entries`; `undefined` when there are none. Tokens and
 * userinfo carry just this, so stores keep or make it once, and nobody takes it apart on the way. Names like `__proto__` are names like any other.
 */
export function metadataText(entries: readonly KeyValue[]): string | undefined {
  if (entries.length === 0) return undefined
  const members = entries.map(({ key, value }) => {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return `${JSON.stringify(key)}:"${bytes.toString('base64url')}"`
  })
  return `{${members.join(',')}}`
}
