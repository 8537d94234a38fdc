import { CannotStart } from '#src/base/errors.ts'
import type { Database } from '../database.ts'
import { whileBusy } from '../patience.ts'

/** Marks a file as ours: "Doss" in the field that SQLite keeps for this. */
export const applicationId = 0x446f7373

const versionOf = (database: Database) => database.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0

/**
 * Makes sure that the file is empty or ours, and of no newer version than `steps` lead to. Changes nothing.
 * @throws CannotStart
 */
export async function assertReadable(database: Database, steps: readonly string[]): Promise<void> {
  // The tables are looked for first: a process that makes them meanwhile sets the mark in the same transaction.
  const { isEmpty, mark, version } = await whileBusy(() => ({
    isEmpty: database.get('SELECT 1 FROM sqlite_schema LIMIT 1') === undefined,
    mark: database.get<{ application_id: number }>('PRAGMA application_id')?.application_id,
    version: versionOf(database),
  }))
  if (mark !== applicationId && !isEmpty) {
    throw new CannotStart(`${database.path} belongs to another program: name another directory in DOSSIER_STORE`)
  }
  if (version > steps.length) {
    throw new CannotStart(
      `${database.path} was written by a newer version of Dossier (schema ${version}, this one knows ${steps.length}): ` +
        'start that version or a later one, or restore a backup made before the upgrade',
    )
  }
}

/** Brings the file to the version that `steps` lead to, in one transaction. Of several processes at once one does it. */
export async function migrate(database: Database, steps: readonly string[]): Promise<void> {
  if ((await whileBusy(() => versionOf(database))) === steps.length) return
  await whileBusy(() =>
    database.transaction(() => {
      for (const step of steps.slice(versionOf(database))) database.exec(step)
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`)
    }),
  )
}
