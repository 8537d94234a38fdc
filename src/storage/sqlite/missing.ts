import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Whether there is no store in `directory` yet. */
export const sqliteIsMissing = (directory: string) => !existsSync(join(directory, 'dossier.db'))
