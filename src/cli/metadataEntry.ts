import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import { printableText } from '#src/domain/provisioning/printable.ts'
import { momentOf, table } from './table.ts'

export type MetadataJson = ReturnType<typeof metadataJson>

/** An entry as our JSON has it: the value in base64, times in ISO 8601. */
export const metadataJson = ({ key, value, sequence, createdAt, changedAt }: MetadataEntry) => ({
  key,
  value: Buffer.from(value).toString('base64'),
  sequence,
  creationDate: createdAt,
  changeDate: changedAt,
})

const shown = 60

/** Entries for people: a value that is no text, or a long one, is told by its size. */
export function metadataLines(entries: readonly MetadataEntry[]): readonly string[] {
  if (entries.length === 0) return []
  return table(
    ['KEY', 'CHANGED', 'VALUE'],
    entries.map(({ key, value, changedAt }) => {
      const text = printableText(value)
      const isShort = text !== undefined && text.length <= shown && !text.includes('\n')
      return [
        [...key].length > shown ? `${[...key].slice(0, shown - 1).join('')}…` : key,
        momentOf(changedAt),
        isShort ? text : `(${value.byteLength} bytes)`,
      ]
    }),
  )
}
