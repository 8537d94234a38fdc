/**
 * The embedded store: two SQLite files in one directory.
 *
 * `dossier.db` keeps what must survive a loss of power: users, metadata, applications, keys, the audit trail. `sessions.db` keeps what the
 * engine stores and what expires by itself. Several processes may share both. Each file beside is one noun of the domain; none
 * of them knows a transport, and nothing outside knows that it is SQLite.
 */
import { join } from 'node:path'
import { type Clock, systemClock } from '#src/base/clock.ts'
import { CannotStart } from '#src/base/errors.ts'
import type { Stores } from '#src/domain/stores.ts'
import { createActionStore } from './actions.ts'
import { createAppStore } from './apps.ts'
import { createArtifactStore } from './artifacts.ts'
import { createAttemptStore } from './attempts.ts'
import { createAuditStore } from './audit.ts'
import { createCatalogueStore } from './catalogue.ts'
import { Database, type Synchronous } from './database.ts'
import { assertRoom, prepareDirectory, prepareFile } from './directory.ts'
import { conditionOf } from './failures.ts'
import { createKeyStore } from './keys.ts'
import { createMetadataStore } from './metadata.ts'
import { dossierSteps } from './migrations/dossier.ts'
import { assertReadable, migrate } from './migrations/migrate.ts'
import { sessionsSteps } from './migrations/sessions.ts'
import { whileBusy } from './patience.ts'
import { createRevision } from './revision.ts'
import { startSweep } from './sweep.ts'
import { createPersonalAccessTokenStore } from './tokens.ts'
import { createUserStore } from './users.ts'
import { defineWords } from './userWords.ts'

/**
 * The stores in `directory`, which is made when it is missing. `now` decides what has expired.
 * @throws CannotStart when the directory or a file in it cannot be used, or is of a newer version; nothing is changed then
 */
export async function openSqlite(directory: string, { now = systemClock }: { now?: Clock } = {}): Promise<Stores> {
  const [dossier, sessions] = await openFiles(directory)
  const revision = createRevision(dossier)
  const stopSweep = startSweep(sessions, now)
  return {
    description: `SQLite in ${directory}`,
    users: createUserStore(dossier),
    metadata: createMetadataStore(dossier),
    catalogue: createCatalogueStore(dossier, revision),
    keys: createKeyStore(dossier, revision),
    actions: createActionStore(dossier, revision),
    apps: createAppStore(dossier, revision),
    tokens: createPersonalAccessTokenStore(dossier),
    audit: createAuditStore(dossier),
    artifacts: createArtifactStore(sessions, now),
    attempts: createAttemptStore(sessions),
    async ping() {
      await Promise.all([dossier.ping(), sessions.ping(), assertRoom(directory)])
    },
    async close() {
      await stopSweep()
      await Promise.all([dossier.close(), sessions.close()])
    },
  }
}

interface File {
  readonly path: string
  readonly synchronous: Synchronous
  readonly steps: readonly string[]
}

async function openFiles(directory: string): Promise<[Database, Database]> {
  const dossier: File = { path: join(directory, 'dossier.db'), synchronous: 'FULL', steps: dossierSteps }
  const sessions: File = { path: join(directory, 'sessions.db'), synchronous: 'NORMAL', steps: sessionsSteps }
  prepareDirectory(directory)
  const opened: Database[] = []
  const connect = (file: File) =>
    explained(file, async () => {
      prepareFile(file.path)
      const database = new Database(file.path)
      opened.push(database)
      await assertReadable(database, file.steps)
      return database
    })
  const prepare = (file: File, database: Database) =>
    explained(file, async () => {
      defineWords(database)
      await whileBusy(() => database.configure(file.synchronous))
      await migrate(database, file.steps)
    })
  try {
    // Both are looked at before either is changed.
    const databases: [Database, Database] = [await connect(dossier), await connect(sessions)]
    await prepare(dossier, databases[0])
    await prepare(sessions, databases[1])
    return databases
  } catch (error) {
    for (const database of opened) await database.close()
    throw error
  }
}

/** Runs a step of the start, and says what to do when the file or the disk does not let it. */
async function explained<T>({ path }: File, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const condition = conditionOf(error)
    if (condition === undefined) throw error
    throw new CannotStart(`cannot use ${path} because ${condition}: ${remedyOf(condition)}`, { cause: error })
  }
}

function remedyOf(condition: string): string {
  if (condition.includes('locked')) return 'stop the program that uses it and start again'
  if (condition.includes('full')) return 'make room and start again'
  if (condition.includes('damaged') || condition.includes('not a SQLite')) {
    return 'move it away and restore a backup, or name another directory in DOSSIER_STORE'
  }
  return 'let the user that runs Dossier write it, or name another directory in DOSSIER_STORE'
}
