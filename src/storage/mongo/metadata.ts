import type { UpdateFilter } from 'mongodb'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import { type MetadataChange, type MetadataSelection, type MetadataStore, summaryBytes } from '#src/domain/metadata/store.ts'
import { type UserId, UserNotFound } from '#src/domain/users/user.ts'
import { writeEvents } from './audit.ts'
import type { Connection } from './connection.ts'
import { RaceLost } from './failures.ts'
import { endOfKey, tagOf, tagOfKey } from './metadataTag.ts'
import { type StoredEntry, type StoredMetadata, type UserDocument, usersOf } from './userDocument.ts'

/**
 * The field name of a key: base64url has neither `.` nor `$`, and no name that means something to JavaScript (`__proto__` has a length
 * that base64url has not).
 */
const fieldOf = (key: string) => Buffer.from(key).toString('base64url')
const keyOf = (field: string) => Buffer.from(field, 'base64url').toString()
/** Where the entry of a key stands in the user's document. */
export const pathOf = (key: string) => `metadata.entries.${fieldOf(key)}`

/** What a change is decided on. With no path to an entry, none comes along: a projection that names fields leaves the others out. */
const heads = {
  version: 1,
  'user.sequence': 1,
  'user.changedAt': 1,
  'metadata.keys': 1,
  'metadata.bytes': 1,
  'metadata.names': 1,
  'metadata.tags': 1,
} as const

/** What is read of a user where no value is wanted. */
interface SummarizedDocument extends Pick<StoredMetadata, 'keys' | 'bytes' | 'tags'> {
  readonly sequence: number
  readonly changedAt: Date
  readonly entries: readonly (Omit<StoredEntry, 'value'> & { readonly field: string; readonly bytes: number })[]
}

const summarized = {
  _id: 0,
  sequence: '$user.sequence',
  changedAt: '$user.changedAt',
  keys: '$metadata.keys',
  bytes: '$metadata.bytes',
  tags: '$metadata.tags',
  entries: {
    $map: {
      input: { $objectToArray: '$metadata.entries' },
      as: 'entry',
      in: {
        field: '$$entry.k',
        bytes: { $binarySize: '$$entry.v.value' },
        sequence: '$$entry.v.sequence',
        createdAt: '$$entry.v.createdAt',
        changedAt: '$$entry.v.changedAt',
      },
    },
  },
} as const

export function createMetadataStore(connection: Connection): MetadataStore {
  const { database } = connection
  const users = usersOf(database)

  /** The user's document with its counts and the entries of `keys`. */
  async function read(userId: UserId, keys: readonly string[]): Promise<UserDocument> {
    const entries = Object.fromEntries(keys.map((key) => [pathOf(key), 1]))
    const document = await users.findOne({ _id: userId }, { projection: { ...heads, ...entries } })
    if (!document) throw new UserNotFound(userId)
    return document
  }

  return {
    find: (userId, key) =>
      connection.run(async () => {
        const document = await users.findOne({ _id: userId }, { projection: { _id: 0, [pathOf(key)]: 1 } })
        return document ? entryOf(document.metadata, key) : undefined
      }),

    // Keys are compared here, so all metadata of the user is read unless the selection is one key: 4 MiB at most, mostly a few hundred bytes.
    search: (userId, selection) =>
      connection.run(async () => {
        const { exactKey } = selection
        const document =
          exactKey === undefined
            ? await users.findOne({ _id: userId }, { projection: { user: 1, metadata: 1 } })
            : await read(userId, [exactKey])
        if (!document) throw new UserNotFound(userId)
        const { sequence, changedAt } = document.user
        return { ...selected(entriesOf(document.metadata), selection), sequence, changedAt }
      }),

    // The values stay where they are: how they begin is in the tags.
    summaries: (userId, { after, limit }) =>
      connection.run(async () => {
        const [found] = await users.aggregate<SummarizedDocument>([{ $match: { _id: userId } }, { $project: summarized }]).toArray()
        if (!found) throw new UserNotFound(userId)
        const beginnings = new Map(found.tags.map((tag) => [tag.slice(0, tag.indexOf(endOfKey) + 1), tag.slice(tag.indexOf(endOfKey) + 1)]))
        const beyond = after === undefined ? undefined : Buffer.from(after)
        const rest = found.entries
          .map(({ field, ...entry }) => ({ name: Buffer.from(field, 'base64url'), entry }))
          .filter(({ name }) => !beyond || Buffer.compare(name, beyond) > 0)
          .sort((a, b) => Buffer.compare(a.name, b.name))
        const items = rest.slice(0, limit).map(({ name, entry }) => {
          const key = name.toString()
          return { key, ...entry, beginning: Buffer.from(beginnings.get(tagOfKey(key)) ?? '', 'hex').subarray(0, summaryBytes) }
        })
        const { keys, bytes, sequence, changedAt } = found
        return { items, ...(rest.length > limit && { next: items.at(-1)?.key }), keys, bytes, sequence, changedAt }
      }),

    change: (userId, asked, decide) =>
      connection.change(userId, async (transaction) => {
        const { version, user, metadata } = await read(userId, asked)
        const entries = new Map<string, MetadataEntry>()
        for (const key of asked) {
          const entry = entryOf(metadata, key)
          if (entry) entries.set(key, entry)
        }
        const change = decide({ sequence: user.sequence, entries, keys: metadata.keys, bytes: metadata.bytes })
        if (!change) return
        const update = updateOf(change, entries, metadata, new Set(asked))
        await transaction(async (session) => {
          const { matchedCount } = await users.updateOne({ _id: userId, version }, update, { session })
          if (matchedCount === 0) throw new RaceLost()
          await writeEvents(database, change.events, session)
        })
      }),
  }
}

/** Entries as the user's document keeps them. */
export function storedMetadata(entries: readonly MetadataEntry[]): StoredMetadata {
  const last = [...new Map(entries.map((entry) => [entry.key, entry])).values()]
  return {
    keys: last.length,
    bytes: sizeOf(last),
    entries: Object.fromEntries(last.map((entry) => [fieldOf(entry.key), stored(entry)])),
    names: last.map(({ key }) => key),
    tags: last.map(tagOf),
  }
}

/** All entries of a user, oldest first; those of one moment in the order of their changes. */
export function entriesOf(metadata: StoredMetadata): MetadataEntry[] {
  return Object.entries(metadata.entries ?? {})
    .map(([field, entry]) => restored(keyOf(field), entry))
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || a.sequence - b.sequence)
}

const stored = ({ key: _, ...entry }: MetadataEntry): StoredEntry => entry

const restored = (key: string, entry: StoredEntry): MetadataEntry => ({ key, ...entry, value: entry.value as Uint8Array })

function entryOf(metadata: StoredMetadata | undefined, key: string): MetadataEntry | undefined {
  const field = fieldOf(key)
  const entries = metadata?.entries
  return entries && Object.hasOwn(entries, field) ? restored(key, entries[field] as StoredEntry) : undefined
}

function selected(entries: MetadataEntry[], { matches, offset, limit, ascending }: MetadataSelection) {
  const matching = entries.filter(({ key }) => matches(key))
  if (!ascending) matching.reverse()
  return { entries: matching.slice(offset, offset + limit), total: matching.length }
}

function updateOf(
  { put, remove, sequence, at }: MetadataChange,
  before: ReadonlyMap<string, MetadataEntry>,
  { keys, bytes, names, tags }: StoredMetadata,
  asked: ReadonlySet<string>,
): UpdateFilter<UserDocument> {
  const touched = new Set([...put.map(({ key }) => key), ...remove])
  const unasked = [...touched].find((key) => !asked.has(key))
  if (unasked !== undefined) throw new TypeError(`a change of metadata names ${JSON.stringify(unasked)}, which it has not asked for`)
  const gone = [...before.values()].filter(({ key }) => touched.has(key))
  const old = new Set(gone.flatMap((entry) => [entry.key, tagOf(entry)]))
  const without = (before: readonly string[]) => before.filter((each) => !old.has(each))
  const set = {
    'user.sequence': sequence,
    'user.changedAt': at,
    'metadata.keys': keys - gone.length + put.length,
    'metadata.bytes': bytes - sizeOf(gone) + sizeOf(put),
    'metadata.names': [...without(names), ...put.map(({ key }) => key)],
    'metadata.tags': [...without(tags), ...put.map(tagOf)],
  }
  const unset: Record<string, ''> = Object.fromEntries(remove.map((key) => [pathOf(key), '']))
  return {
    $set: { ...set, ...Object.fromEntries(put.map((entry) => [pathOf(entry.key), stored(entry)])) },
    $unset: unset,
    $inc: { version: 1 },
  }
}

const sizeOf = (entries: readonly MetadataEntry[]) => entries.reduce((sum, { value }) => sum + value.byteLength, 0)
