/** The text that `bytes` are in UTF-8, where it is printable and gives the same bytes back; otherwise `undefined`. */
export function printableText(bytes: Uint8Array): string | undefined {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = value.toString('utf8')
  // Controls and unassigned characters would be lost in an editor, and two separators are line breaks to some readers of YAML.
  const isPrintable = !/[^\P{C}\n\t]|[\u2028\u2029]/u.test(text) && Buffer.from(text, 'utf8').equals(value)
  return isPrintable ? text : undefined
}
