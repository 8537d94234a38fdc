import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CannotStart, StoreUnavailable } from '#src/base/errors.ts'

const remedies: Readonly<Record<string, string>> = {
  EACCES: 'give the user that runs Dossier the right to write there',
  EPERM: 'give the user that runs Dossier the right to write there',
  ENOTDIR: 'a part of that path is a file, so name another directory in DOSSIER_STORE',
  EEXIST: 'that path is a file, so name another directory in DOSSIER_STORE',
  EISDIR: 'a directory stands where a file should be, so move it away',
  EROFS: 'the file system is read-only, so name another directory in DOSSIER_STORE',
  ENOSPC: 'the disk is full, so make room',
}

/** Makes the directory, for its owner only, where it is missing. @throws CannotStart */
export const prepareDirectory = (directory: string) => explained(directory, () => makeDirectory(resolve(directory)))

/** Makes a file, for its owner only, where it is missing. @throws CannotStart */
export const prepareFile = (path: string) => explained(dirname(path), () => closeSync(openSync(path, 'a', 0o600)))

/** One level after the other: below some file systems that are none, like /proc, Node's own way never ends. */
function makeDirectory(path: string): void {
  if (existsSync(path)) {
    // Where a file stands, this says so.
    mkdirSync(path, { recursive: true })
    return
  }
  makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process that starts now was faster.
    if (!existsSync(path)) throw error
  }
}

function explained(directory: string, step: () => void): void {
  try {
    step()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    const remedy = remedies[code] ?? `the system says ${code}, so name another directory in DOSSIER_STORE`
    throw new CannotStart(`cannot keep data in ${directory}: ${remedy}`, { cause: error })
  }
}

/** Below this a commit may fail at any moment: SQLite's log alone grows to 4 MiB between two checkpoints. */
const neededBytes = 8 * 1024 * 1024

/** @throws StoreUnavailable when the disk has hardly any room left, or the directory is gone */
export async function assertRoom(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory).catch((error) => {
    throw new StoreUnavailable('its directory cannot be read', { cause: error })
  })
  if (bavail * bsize < neededBytes) throw new StoreUnavailable('the disk is full')
}
