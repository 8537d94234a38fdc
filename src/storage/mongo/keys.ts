import type { KeyStore, StoredKey } from '#src/domain/keys/store.ts'
import { writeEvents } from './audit.ts'
import type { Connection } from './connection.ts'
import type { Revision } from './revision.ts'

interface KeyDocument extends Omit<StoredKey, 'kid'> {
  readonly _id: string
}

const keyOf = ({ _id, ...key }: KeyDocument): StoredKey => ({ kid: _id, ...key })

export function createKeyStore(connection: Connection, revision: Revision): KeyStore {
  const { database } = connection
  const keys = database.collection<KeyDocument>('signing_keys')

  return {
    list: () => connection.run(async () => (await keys.find().sort({ createdAt: 1, _id: 1 }).toArray()).map(keyOf)),

    commit: ({ put, remove, events }) =>
      revision.moving(async (session) => {
        for (const { kid, ...key } of put) await keys.replaceOne({ _id: kid }, key, { upsert: true, session })
        if (remove.length > 0) await keys.deleteMany({ _id: { $in: [...remove] } }, { session })
        await writeEvents(database, events, session)
      }),
  }
}
