import { type App, AppNotFound, ClientAppIdTaken } from '#src/domain/apps/app.ts'
import type { AppStore } from '#src/domain/apps/store.ts'
import { writeEvents } from './audit.ts'
import type { Database } from './database.ts'
import { violatedIndex } from './failures.ts'
import type { Revision } from './revision.ts'

interface AppRow {
  readonly created_at: number
  readonly changed_at: number
  readonly document: string
}

const columns = 'created_at, changed_at, document'

export function createAppStore(database: Database, revision: Revision): AppStore {
  function put({ createdAt, changedAt, ...app }: App): void {
    try {
      database.run(
        `INSERT INTO apps (id, client_app_id, ${columns}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
         client_app_id = excluded.client_app_id, changed_at = excluded.changed_at, document = excluded.document`,
        app.id,
        app.clientAppId,
        createdAt.getTime(),
        changedAt.getTime(),
        JSON.stringify(app),
      )
    } catch (error) {
      throw violatedIndex(error) === 'apps.client_app_id' ? new ClientAppIdTaken(app.clientAppId, { cause: error }) : error
    }
  }

  return {
    list: () => database.read(() => database.all<AppRow>(`SELECT ${columns} FROM apps ORDER BY created_at, id`).map(appOf)),

    insert: (app, events) =>
      database.write(() => {
        put(app)
        revision.move()
        writeEvents(database, events)
      }),

    update: (id, decide) =>
      database.write(() => {
        const row = database.get<AppRow>(`SELECT ${columns} FROM apps WHERE id = ?`, id)
        if (!row) throw new AppNotFound(id)
        const current = appOf(row)
        const change = decide(current)
        if (!change) return current
        put(change.app)
        revision.move()
        writeEvents(database, change.events)
        return change.app
      }),

    remove: (id, events) =>
      database.write(() => {
        if (database.run('DELETE FROM apps WHERE id = ?', id) === 0) return false
        revision.move()
        writeEvents(database, events)
        return true
      }),
  }
}

const appOf = ({ created_at, changed_at, document }: AppRow): App => ({
  ...JSON.parse(document),
  createdAt: new Date(created_at),
  changedAt: new Date(changed_at),
})
