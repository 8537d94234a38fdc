import { type Document, ObjectId } from 'bson'
import { keyOf } from '#src/base/bson.ts'
import type { DocumentChange } from '#src/domain/documents/store.ts'
import type { Database } from '../database.ts'
import { isPlainObject, typedOf } from './values.ts'

/** How long a change is kept for those who look a little later. */
const keptMs = 5 * 60_000
/** How soon another process's change is seen. */
const lookEveryMs = 100

export type Changes = ReturnType<typeof createChanges>

/** What was changed, as change streams tell it: written with each change, and read by whoever watches, in whichever process. */
export function createChanges(database: Database) {
  const watchers = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  let sweptAt = 0

  function wake(): void {
    for (const look of watchers) look()
  }

  return {
    /** Only inside `write`; `body` is the change in BSON. */
    record(collection: string, body: Uint8Array): void {
      const at = Date.now()
      database.run('INSERT INTO changes (collection, at, body) VALUES (?, ?, ?)', collection, at, body)
      if (at - sweptAt > keptMs / 10) {
        sweptAt = at
        database.run('DELETE FROM changes WHERE at < ?', at - keptMs)
      }
      setImmediate(wake)
    },

    async watch(collection: string, signal: AbortSignal): Promise<AsyncIterable<DocumentChange>> {
      let seen = await database.read(
        () => database.get<{ newest: number }>('SELECT coalesce(max(number), 0) AS newest FROM changes')?.newest ?? 0,
      )
      let waiting: (() => void) | undefined
      const look = () => waiting?.()
      watchers.add(look)
      timer ??= setInterval(wake, lookEveryMs).unref()
      const end = () => {
        watchers.delete(look)
        if (watchers.size === 0) {
          clearInterval(timer)
          timer = undefined
        }
        look()
      }
      signal.addEventListener('abort', end, { once: true })

      async function* follow(): AsyncGenerator<DocumentChange> {
        try {
          while (!signal.aborted) {
            const rows = await database.read(() =>
              database.all<{ number: number; body: Uint8Array }>(
                'SELECT number, body FROM changes WHERE number > ? AND collection = ? ORDER BY number LIMIT 100',
                seen,
                collection,
              ),
            )
            for (const { number, body } of rows) {
              seen = number
              yield { ...(typedOf(body) as DocumentChange), _id: { _data: String(number) } }
            }
            if (rows.length > 0 || signal.aborted) continue
            await new Promise<void>((resolve) => {
              waiting = resolve
            })
            waiting = undefined
          }
        } finally {
          end()
        }
      }
      return follow()
    },

    stop(): void {
      clearInterval(timer)
      for (const look of watchers) look()
    },
  }
}

/** What an update changed: the deepest paths that differ. */
export function differenceOf(
  before: Document,
  after: Document,
): { readonly updatedFields: Document; readonly removedFields: readonly string[] } {
  const updatedFields: Document = {}
  const removedFields: string[] = []
  const compare = (old: Document, next: Document, at: string) => {
    for (const [name, value] of Object.entries(next)) {
      const had = Object.hasOwn(old, name)
      if (had && isPlainObject(old[name]) && isPlainObject(value)) compare(old[name], value, `${at}${name}.`)
      else if (!had || keyOf(old[name]) !== keyOf(value)) updatedFields[`${at}${name}`] = value
    }
    for (const name of Object.keys(old)) if (!Object.hasOwn(next, name)) removedFields.push(`${at}${name}`)
  }
  compare(before, after, '')
  return { updatedFields, removedFields }
}

export const newId = () => new ObjectId()
