import type { MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { MetadataQuery, MetadataSchema } from '@zitadel/proto/zitadel/metadata_pb.js'
import type { ListDetailsSchema, ListQuery } from '@zitadel/proto/zitadel/object_pb.js'
import {
  assertAcceptable,
  type KeyValue,
  type Metadata,
  type MetadataEntry,
  MetadataLimitReached,
  MetadataNotFound,
  metadataLimits,
} from '#src/domain/metadata/metadata.ts'
import type { KeyFilter } from '#src/domain/metadata/search.ts'
import type { MetadataFound } from '#src/domain/metadata/store.ts'
import { UserNotFound } from '#src/domain/users/user.ts'
import { StatusError } from './errors.ts'
import { listQueryOf } from './pagination.ts'
import { textMethodOf } from './users.ts'

export interface MetadataNeeds {
  readonly metadata: Metadata
  /** The organization that everything belongs to: ZITADEL's `resourceOwner`. */
  readonly organizationId: () => string
}

/** For requests that write metadata. */
export const metadataBodyBytes = 2 * 1024 * 1024

/** Each query costs a pass over the keys of a user. */
const maxQueries = 100

/** The filters that queries on metadata ask for; an entry has to pass them all. */
export function filtersOf(queries: readonly MetadataQuery[]): readonly KeyFilter[] {
  if (queries.length > maxQueries) throw limitExceeded()
  return queries.flatMap(({ query }) =>
    query.case === 'keyQuery' ? [{ key: query.value.key, method: textMethodOf(query.value.method) }] : [],
  )
}

/** The part of a list that is asked for. An offset of 64 bits is past the end of what any user can have. @throws StatusError */
export function pageOf(query: ListQuery | undefined): ReturnType<typeof listQueryOf> {
  const part = listQueryOf(query)
  return { ...part, offset: Math.min(part.offset, metadataLimits.keys) }
}

const limitExceeded = () => new StatusError('invalidArgument', 'Limit exceeded', { id: 'QUERY-4M0fs' })

/** The entries of a user who is to be made: of a key that is named twice, the last. @throws MetadataInvalid, MetadataLimitReached */
export function entriesOfNew(given: readonly KeyValue[]): readonly KeyValue[] {
  const entries = [...new Map(given.map(({ key, value }) => [key, { key, value }])).values()]
  for (const { key, value } of entries) assertAcceptable(key, value)
  if (entries.length > metadataLimits.keys) throw new MetadataLimitReached(`a user may have at most ${metadataLimits.keys} metadata keys`)
  return entries
}

/** One entry as the first API tells it. */
export function metadataOf({ key, value, sequence, createdAt, changedAt }: MetadataEntry, resourceOwner: string) {
  const creationDate = timestampFromDate(createdAt)
  const changeDate = timestampFromDate(changedAt)
  return {
    details: { sequence: BigInt(sequence), creationDate, changeDate, resourceOwner },
    key,
    value: value as Uint8Array<ArrayBuffer>,
  } satisfies MessageInitShape<typeof MetadataSchema>
}

/** How many there are in all, and as of which change of the user. */
export function listDetailsOf({ total, sequence, changedAt }: MetadataFound) {
  return {
    totalResult: BigInt(total),
    processedSequence: BigInt(sequence),
    viewTimestamp: timestampFromDate(changedAt),
  } satisfies MessageInitShape<typeof ListDetailsSchema>
}

/** Says why a write is refused, in ZITADEL's words; a user who is not there is another kind of error in each version. */
export async function refused<T>(unknownUser: 'failedPrecondition' | 'notFound', write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    if (error instanceof UserNotFound) throw new StatusError(unknownUser, 'User could not be found', { id: 'COMMAND-uXHNj' })
    if (error instanceof MetadataNotFound) throw new StatusError('notFound', 'One or more keys do not exist', { id: 'META-2nnds' })
    throw error
  }
}
