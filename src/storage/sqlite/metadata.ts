import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import { type MetadataSelection, type MetadataStore, summaryBytes } from '#src/domain/metadata/store.ts'
import { metadataText } from '#src/domain/metadata/text.ts'
import { type UserId, UserNotFound } from '#src/domain/users/user.ts'
import { writeEvents } from './audit.ts'
import type { Database } from './database.ts'

interface KeyRow {
  readonly number: number
  readonly key: string
  readonly sequence: number
  readonly created_at: number
}

interface MetadataRow extends KeyRow {
  readonly changed_at: number
  readonly value: Uint8Array
}

interface SummaryRow extends Omit<KeyRow, 'number'> {
  readonly changed_at: number
  readonly bytes: number
  readonly beginning: Uint8Array
}

interface OwnerRow {
  readonly sequence: number
  readonly changed_at: number
  readonly metadata_keys: number
  readonly metadata_bytes: number
}

const columns = 'number, key, sequence, created_at, changed_at, value'

export function createMetadataStore(database: Database): MetadataStore {
  function owner(userId: UserId): OwnerRow {
    const row = database.get<OwnerRow>('SELECT sequence, changed_at, metadata_keys, metadata_bytes FROM users WHERE id = ?', userId)
    if (!row) throw new UserNotFound(userId)
    return row
  }
  function selectOne(userId: UserId, key: string): MetadataEntry | undefined {
    const row = database.get<MetadataRow>(`SELECT ${columns} FROM metadata WHERE user_id = ? AND key = ?`, userId, key)
    return row && entryOf(row)
  }
  const bytesOf = (userId: UserId, key: string) =>
    database.get<{ bytes: number }>('SELECT length(value) AS bytes FROM metadata WHERE user_id = ? AND key = ?', userId, key)?.bytes

  function select(userId: UserId, { matches, offset, limit, ascending }: MetadataSelection) {
    const end = offset + limit
    const rows = database
      .all<KeyRow>('SELECT number, key, sequence, created_at FROM metadata WHERE user_id = ?', userId)
      .filter(({ key }) => matches(key))
      .sort(byCreation)
    if (!ascending) rows.reverse()
    const entries = rows.slice(offset, end).map(({ number }) => {
      return entryOf(database.get<MetadataRow>(`SELECT ${columns} FROM metadata WHERE number = ?`, number) as MetadataRow)
    })
    return { entries, total: rows.length }
  }

  const searchMany = (userId: UserId, selection: MetadataSelection) =>
    database.readTogether(() => {
      const { sequence, changed_at } = owner(userId)
      return { ...select(userId, selection), sequence, changedAt: new Date(changed_at) }
    })

  /** A search that can find one key only, in one statement: what most searches are. */
  const searchOne = (userId: UserId, key: string, { matches, offset, limit }: MetadataSelection) =>
    database.read(() => {
      const [row] = database.rows(
        `SELECT sequence, changed_at, (SELECT ${entryAsText} FROM metadata WHERE user_id = users.id AND key = ?) FROM users WHERE id = ?`,
        key,
        userId,
      ) as [number, number, string | null][]
      if (!row) throw new UserNotFound(userId)
      const [sequence, changedAt, text] = row
      const found = text !== null && matches(key) ? [entryOfText(JSON.parse(text) as EntryText)] : []
      return { entries: found.slice(offset, offset + limit), total: found.length, sequence, changedAt: new Date(changedAt) }
    })

  return {
    find: (userId, key) => database.read(() => selectOne(userId, key)),

    search: (userId, selection) =>
      selection.exactKey === undefined ? searchMany(userId, selection) : searchOne(userId, selection.exactKey, selection),

    summaries: (userId, { after = '', limit }) =>
      database.readTogether(() => {
        const { sequence, changed_at, metadata_keys: keys, metadata_bytes: bytes } = owner(userId)
        const rows = database.all<SummaryRow>(
          `SELECT key, sequence, created_at, changed_at, length(value) AS bytes, substr(value, 1, ${summaryBytes}) AS beginning
           FROM metadata WHERE user_id = ? AND key > ? ORDER BY key LIMIT ?`,
          userId,
          after,
          limit + 1,
        )
        const items = rows.slice(0, limit).map(summaryOf)
        const next = rows.length > limit ? { next: items.at(-1)?.key } : {}
        return { items, ...next, keys, bytes, sequence, changedAt: new Date(changed_at) }
      }),

    change: (userId, asked, decide) =>
      database.write(() => {
        const { sequence, metadata_keys: keys, metadata_bytes: bytes } = owner(userId)
        const entries = new Map<string, MetadataEntry>()
        for (const key of asked) {
          const entry = selectOne(userId, key)
          if (entry) entries.set(key, entry)
        }
        const change = decide({ sequence, entries, keys, bytes })
        if (!change) return
        let keysAfter = keys
        let bytesAfter = bytes
        for (const entry of change.put) {
          const before = bytesOf(userId, entry.key)
          keysAfter += before === undefined ? 1 : 0
          bytesAfter += entry.value.byteLength - (before ?? 0)
          putEntry(database, userId, entry)
        }
        for (const key of change.remove) {
          bytesAfter -= bytesOf(userId, key) ?? 0
          keysAfter -= database.run('DELETE FROM metadata WHERE user_id = ? AND key = ?', userId, key)
        }
        database.run(
          'UPDATE users SET sequence = ?, changed_at = ?, metadata_keys = ?, metadata_bytes = ?, metadata_text = ? WHERE id = ?',
          change.sequence,
          change.at.getTime(),
          keysAfter,
          bytesAfter,
          keptText(database, userId, keysAfter, bytesAfter),
          userId,
        )
        writeEvents(database, change.events)
      }),
  }
}

/** Puts an entry in place as part of the transaction that is open. The user's counters are the caller's business. */
export function putEntry(database: Database, userId: UserId, { key, value, sequence, createdAt, changedAt }: MetadataEntry): void {
  database.run(
    `INSERT INTO metadata (user_id, key, sequence, created_at, changed_at, value) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (user_id, key) DO UPDATE SET sequence = excluded.sequence, created_at = excluded.created_at,
     changed_at = excluded.changed_at, value = excluded.value`,
    userId,
    key,
    sequence,
    createdAt.getTime(),
    changedAt.getTime(),
    value,
  )
}

/**
 * The text of all metadata that a user's row keeps, where it is short. A longer one is made when it is asked for: kept, it would be written
 * again with every change of one key. `keys` and `bytes` are the user's counters.
 */
export const keptText = (database: Database, userId: UserId, keys: number, bytes: number) =>
  keys <= 100 && bytes <= 16 * 1024 ? (metadataText(allEntries(database, userId)) ?? null) : null

type EntryText = readonly [key: string, sequence: number, createdAt: number, changedAt: number, number: number, hex: string]

const entryAsText = 'json_array(key, sequence, created_at, changed_at, number, hex(value))'

const entryOfText = ([key, sequence, createdAt, changedAt, , hex]: EntryText): MetadataEntry => ({
  key,
  value: Buffer.from(hex, 'hex'),
  sequence,
  createdAt: new Date(createdAt),
  changedAt: new Date(changedAt),
})

/** All entries of a user, oldest first. */
export const allEntries = (database: Database, userId: UserId): readonly MetadataEntry[] =>
  database.all<MetadataRow>(`SELECT ${columns} FROM metadata WHERE user_id = ?`, userId).sort(byCreation).map(entryOf)

function entryOf({ key, value, sequence, created_at, changed_at }: MetadataRow): MetadataEntry {
  return { key, value, sequence, createdAt: new Date(created_at), changedAt: new Date(changed_at) }
}

const summaryOf = ({ created_at, changed_at, ...row }: SummaryRow) => ({
  ...row,
  createdAt: new Date(created_at),
  changedAt: new Date(changed_at),
})

/** Oldest first; entries of one moment in the order of their changes. */
const byCreation = (a: KeyRow, b: KeyRow) => a.created_at - b.created_at || a.sequence - b.sequence || a.number - b.number
