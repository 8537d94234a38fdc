import type { Database } from './database.ts'

export type Revision = ReturnType<typeof createRevision>

/**
 * The number of the catalogue's last change. It is read once a turn of the event loop: a request asks several times, and nobody else's
 * commit needs to be seen sooner than that. Our own is seen at once.
 */
export function createRevision(database: Database) {
  let known: number | undefined
  const forget = () => {
    known = undefined
  }

  const stored = () => database.get<{ revision: number }>('SELECT revision FROM catalogue')?.revision ?? 0

  return {
    stored,

    read(): number {
      if (known === undefined) {
        known = database.readNow(stored)
        setImmediate(forget)
      }
      return known
    },

    /** Makes it another number everywhere, once the open transaction is committed. */
    move(): void {
      database.run('UPDATE catalogue SET revision = revision + 1')
      forget()
    },
  }
}
