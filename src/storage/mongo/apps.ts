import { type App, AppNotFound, ClientAppIdTaken } from '#src/domain/apps/app.ts'
import type { AppStore } from '#src/domain/apps/store.ts'
import { writeEvents } from './audit.ts'
import type { Connection } from './connection.ts'
import { refusing } from './failures.ts'
import type { Revision } from './revision.ts'

/** Paths and names of an app may be any text, which names of fields may not: one text. */
interface AppDocument extends Pick<App, 'clientAppId' | 'createdAt' | 'changedAt'> {
  readonly _id: string
  readonly rest: string
}

export function createAppStore(connection: Connection, revision: Revision): AppStore {
  const { database } = connection
  const apps = database.collection<AppDocument>('apps')
  const taken = (app: App) => (cause: unknown) => new ClientAppIdTaken(app.clientAppId, { cause })

  return {
    list: () => connection.run(async () => (await apps.find().sort({ createdAt: 1, _id: 1 }).toArray()).map(appOf)),

    insert: (app, events) =>
      revision.moving(async (session) => {
        await refusing(apps.insertOne(documentOf(app), { session }), taken(app))
        await writeEvents(database, events, session)
      }),

    async update(id, decide) {
      let answer: App | undefined
      await revision
        .moving(async (session) => {
          const document = await apps.findOne({ _id: id }, { session })
          if (!document) throw new AppNotFound(id)
          const current = appOf(document)
          const change = decide(current)
          answer = change?.app ?? current
          if (!change) throw nothing
          await refusing(apps.replaceOne({ _id: id }, documentOf(change.app), { session }), taken(change.app))
          await writeEvents(database, change.events, session)
        })
        .catch((error: unknown) => {
          if (error !== nothing) throw error
        })
      return answer as App
    },

    async remove(id, events) {
      let isThere = false
      await revision
        .moving(async (session) => {
          isThere = (await apps.deleteOne({ _id: id }, { session })).deletedCount > 0
          if (!isThere) throw nothing
          await writeEvents(database, events, session)
        })
        .catch((error: unknown) => {
          if (error !== nothing) throw error
        })
      return isThere
    },
  }
}

/** Ends a transaction that has nothing to write. */
const nothing = new Error('nothing is to change')

const documentOf = ({ id, clientAppId, createdAt, changedAt, ...rest }: App): AppDocument => ({
  _id: id,
  clientAppId,
  createdAt,
  changedAt,
  rest: JSON.stringify(rest),
})

const appOf = ({ _id, rest, ...document }: AppDocument): App => ({ id: _id, ...document, ...JSON.parse(rest) })
