/**
 * The number of the catalogue's last change, known without asking.
 *
 * Our own commit moves it before the caller hears of success. Another process's commit arrives by a change stream, some milliseconds
 * after it is safe on a majority. While the stream is down the number is read every second instead, until the stream is up again; a
 * connection that is cut without a word is noticed by its time limit. So what is made from the catalogue is stale by milliseconds, by a second or
 * two without the stream, by ten seconds at the worst while the deployment answers, and for as long as it does not answer nothing
 * else can be read either.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ChangeStreamUpdateDocument, ClientSession, Db } from 'mongodb'
import { CatalogueMoved } from '#src/domain/applications/application.ts'
import type { CatalogueRoot } from '#src/domain/applications/store.ts'
import type { Connection } from './connection.ts'

export const rootId = 'catalogue'

/** What there is one of. */
interface RootDocument extends Partial<CatalogueRoot> {
  readonly _id: typeof rootId
  readonly revision: number
}

export const rootOf = (database: Db) => database.collection<RootDocument>('catalogue')

const everyMs = 1000

export type Revision = Awaited<ReturnType<typeof createRevision>>

/** Reads the number and follows it until `stop` is called. */
export async function createRevision(connection: Connection) {
  const root = rootOf(connection.database)
  const stopping = new AbortController()
  let known = 0

  // Answers overtake each other, and the number only grows.
  const learn = (number = 0) => {
    known = Math.max(known, number)
  }
  const stored = async () => (await root.findOne({ _id: rootId }, { projection: { revision: 1 } }))?.revision ?? 0
  const ask = async () => learn(await stored())

  /** Follows the stream until it fails. What was committed before it was open is asked for. */
  async function followStream(): Promise<void> {
    const stream = root.watch<RootDocument, ChangeStreamUpdateDocument<RootDocument>>([{ $match: { operationType: 'update' } }], {
      fullDocument: 'updateLookup',
      maxAwaitTimeMS: everyMs,
      readConcern: { level: 'majority' },
    })
    try {
      learn((await stream.tryNext())?.fullDocument?.revision)
      await ask()
      while (!stopping.signal.aborted) learn((await stream.tryNext())?.fullDocument?.revision)
    } finally {
      await stream.close().catch(() => undefined)
    }
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      // That the deployment is away is news for those who want something of it; here there is nothing to do but to ask again.
      await followStream().catch(() => undefined)
      await ask().catch(() => undefined)
      await delay(everyMs, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined)
    }
  }

  await connection.run(ask)
  void follow()

  return {
    read: () => known,
    stored,

    /**
     * Runs `work` in a transaction that sets `fields` and makes the number another one everywhere, from `basis` if that is given.
     * @throws CatalogueMoved, and what `work` throws
     */
    async moving(work: (session: ClientSession) => Promise<void>, fields: Partial<CatalogueRoot> = {}, basis?: number): Promise<void> {
      const number = await connection.change(rootId, (transaction) =>
        transaction(async (session) => {
          const update = { $inc: { revision: 1 }, $set: fields }
          const moved = await root.findOneAndUpdate({ _id: rootId }, update, { upsert: true, returnDocument: 'after', session })
          if (basis !== undefined && moved?.revision !== basis + 1) throw new CatalogueMoved()
          await work(session)
          return moved?.revision
        }),
      )
      learn(number)
    },

    /** Ends the following; what it is asking for at that moment ends with the connection. */
    stop(): void {
      stopping.abort()
    },
  }
}
