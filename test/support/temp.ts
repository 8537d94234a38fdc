import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The path of a new, empty folder. The run of tests removes it at its end. */
export const tempDir = (): string => mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'dossier-'))
