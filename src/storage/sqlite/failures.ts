import { StoreUnavailable } from '#src/base/errors.ts'

/** What SQLite's primary result codes mean to whoever runs the server. Any other failure is a mistake of ours. */
const conditions: Readonly<Record<number, string>> = {
  5: 'its file is locked by another program',
  6: 'its file is locked by another program',
  8: 'its file is read-only',
  10: 'the disk reports an error',
  11: 'its file is damaged',
  13: 'the disk is full',
  14: 'its file cannot be opened',
  26: 'its file is not a SQLite database',
}

function extendedCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}

/** The primary result code of SQLite, where `error` comes from it: the low byte of the extended one. */
function primaryCode(error: unknown): number | undefined {
  const code = extendedCode(error)
  return code === undefined ? undefined : code & 0xff
}

/** Whether another connection holds a lock, so that the same may work a moment later. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error)
  return code === 5 || code === 6
}

/** What is wrong with the file or the disk, in words that fit after "because"; `undefined` when the error is of another kind. */
export function conditionOf(error: unknown): string | undefined {
  const code = primaryCode(error)
  return code === undefined ? undefined : conditions[code]
}

/** `error` as callers of a store know it: `StoreUnavailable` for the state of file or disk, anything else as it is. */
export function translated(error: unknown): unknown {
  const condition = conditionOf(error)
  return condition === undefined ? error : new StoreUnavailable(condition, { cause: error })
}

const uniqueCodes = new Set([1555, 2067])
const foreignKeyCode = 787

/** The columns of the unique index that refused a row, as `table.column`, comma-separated. */
export function violatedIndex(error: unknown): string | undefined {
  if (!uniqueCodes.has(extendedCode(error) ?? 0)) return undefined
  return /^UNIQUE constraint failed: (.+)$/.exec((error as Error).message)?.[1]
}

/** Whether a row was refused because the row that it belongs to is not there. */
export const lacksParent = (error: unknown) => extendedCode(error) === foreignKeyCode
