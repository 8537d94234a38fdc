import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made = new Set<string>()

process.once('exit', () => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
})

/** A new empty directory, removed when the test process ends. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'dossier-'))
  made.add(path)
  return path
}
