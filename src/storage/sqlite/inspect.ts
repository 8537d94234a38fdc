import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { Finding } from '../inspect.ts'
import { assertRoom } from './directory.ts'
import { conditionOf } from './failures.ts'
import { dossierSteps } from './migrations/dossier.ts'
import { applicationId } from './migrations/migrate.ts'
import { sessionsSteps } from './migrations/sessions.ts'
import { sqliteIsMissing } from './missing.ts'

/** What `openSqlite` would find in `directory`. Changes nothing. */
export async function inspectSqlite(directory: string, now: Date): Promise<readonly Finding[]> {
  const store = await placeOf(directory)
  if (store.status === 'failed') return [store]
  const files = [
    { path: join(directory, 'dossier.db'), steps: dossierSteps },
    { path: join(directory, 'sessions.db'), steps: sessionsSteps },
  ]
  const schema = files.filter(({ path }) => existsSync(path)).map(({ path, steps }) => schemaOf(path, steps.length))
  const newest = sqliteIsMissing(directory) ? undefined : newestEventAt(join(directory, 'dossier.db'))
  return [store, ...schema, ...(newest === undefined ? [] : [clockOf(newest, now)])]
}

async function placeOf(directory: string): Promise<Finding> {
  const missing = sqliteIsMissing(directory)
  try {
    if (existsSync(directory) && !statSync(directory).isDirectory()) {
      return { name: 'store', status: 'failed', detail: `${directory} is a file: name another directory in DOSSIER_STORE` }
    }
    const nearest = nearestExisting(resolve(directory))
    accessSync(nearest, constants.R_OK | constants.W_OK | constants.X_OK)
    if (!missing) accessSync(join(directory, 'dossier.db'), constants.R_OK | constants.W_OK)
    await assertRoom(nearest)
  } catch (error) {
    return { name: 'store', status: 'failed', detail: `cannot keep data in ${directory}: ${(error as Error).message}` }
  }
  const detail = missing ? `there is none in ${directory} yet; the first start would make it` : `SQLite in ${directory}`
  return { name: 'store', status: 'ok', detail }
}

/** The signing keys that are in use, as they are sealed. */
export function sealedKeysInSqlite(directory: string): readonly { readonly kid: string; readonly sealed: string }[] {
  if (sqliteIsMissing(directory)) return []
  return reading(join(directory, 'dossier.db'), (database) => {
    const exists = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'signing_keys'").get()
    if (!exists) return []
    const rows = database.prepare('SELECT kid, sealed FROM signing_keys WHERE published_until IS NULL').all()
    return rows.map(({ kid, sealed }) => ({ kid: String(kid), sealed: String(sealed) }))
  })
}

const nearestExisting = (path: string): string => (existsSync(path) ? path : nearestExisting(dirname(path)))

function schemaOf(path: string, known: number): Finding {
  const name = 'migrations'
  try {
    const { mark, version, isEmpty } = reading(path, (database) => ({
      mark: database.prepare('PRAGMA application_id').get()?.application_id,
      version: Number(database.prepare('PRAGMA user_version').get()?.user_version),
      isEmpty: database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined,
    }))
    if (mark !== applicationId && !isEmpty) return { name, status: 'failed', detail: `${path} belongs to another program` }
    if (version > known) {
      return { name, status: 'failed', detail: `${path} has schema ${version}, from a newer version; this one knows ${known}` }
    }
    const pending = version < known ? `; the next start would bring it to ${known}` : ', which is current'
    return { name, status: 'ok', detail: `${path} has schema ${version}${pending}` }
  } catch (error) {
    return { name, status: 'failed', detail: `${path} cannot be read because ${conditionOf(error) ?? (error as Error).message}` }
  }
}

/** A clock behind the last thing that was recorded went back, or is another machine's. */
function clockOf(newest: Date, now: Date): Finding {
  const ahead = Math.round((newest.getTime() - now.getTime()) / 1000)
  return ahead > 60
    ? {
        name: 'clock',
        status: 'failed',
        detail: `it is ${now.toISOString()}, ${ahead} seconds before the last recorded event: set the clock`,
      }
    : { name: 'clock', status: 'ok', detail: `it is ${now.toISOString()}` }
}

function newestEventAt(path: string): Date | undefined {
  try {
    const row = reading(path, (database) => database.prepare('SELECT at FROM events ORDER BY number DESC LIMIT 1').get())
    return row && new Date(Number(row.at))
  } catch {
    // The schema was told about already.
    return undefined
  }
}

/** Opens for reading only. A file that nobody has open is read as it is: even a reader would leave files beside it otherwise. */
function reading<T>(path: string, read: (database: DatabaseSync) => T): T {
  const url = pathToFileURL(path)
  if (!existsSync(`${path}-wal`)) url.searchParams.set('immutable', '1')
  const database = new DatabaseSync(url, { readOnly: true, timeout: 1000 })
  try {
    return read(database)
  } finally {
    database.close()
  }
}
