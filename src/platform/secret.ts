import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotStart } from '#src/base/errors.ts'

/** Whether `secretInDirectory` would make one. */
export const secretIsMissing = (directory: string) => !existsSync(join(directory, 'secret'))

/**
 * The secret that a store directory keeps for itself, made at the first call, with mode 0600. Processes that start together agree on one:
 * a complete file is linked into place, and the first link wins.
 * @throws CannotStart when it can be neither read nor written
 */
export function secretInDirectory(directory: string): string {
  const path = join(directory, 'secret')
  try {
    if (!existsSync(path)) {
      const draft = `${path}.${process.pid}`
      writeFileSync(draft, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600 })
      try {
        linkSync(draft, path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      } finally {
        rmSync(draft, { force: true })
      }
    }
    const secret = readFileSync(path, 'utf8').trim()
    if (secret.length < 32)
      throw new CannotStart(`${path} holds less than 32 bytes; restore it from a backup, or set DOSSIER_SECRET to the former secret.`)
    return secret
  } catch (error) {
    if (error instanceof CannotStart) throw error
    throw new CannotStart(
      `${path} cannot be read or written (${(error as Error).message}); give the directory to the user that runs Dossier.`,
      { cause: error },
    )
  }
}
