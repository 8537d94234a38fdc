import type { PaginationRequest } from '@zitadel/proto/zitadel/filter/v2/filter_pb.js'
import { StatusError } from './errors.ts'

/** What a list may be cut by, in whichever version. */
type Cut = Pick<PaginationRequest, 'offset' | 'limit' | 'asc'>

const usualRows = 100
const maxRows = 1000

interface Part {
  readonly offset: number
  readonly limit: number
  readonly ascending: boolean
}

/** The part of a list that is asked for, as the second API has it: a hundred rows, newest first, unless the request says otherwise. @throws StatusError */
export const paginationOf = (request: Cut | undefined): Part => partOf(request, usualRows)

/** The same as the first API has it: a thousand rows. @throws StatusError */
export const listQueryOf = (request: Cut | undefined): Part => partOf(request, maxRows)

function partOf(request: Cut | undefined, usual: number): Part {
  const limit = request?.limit || usual
  if (limit > maxRows) throw new StatusError('invalidArgument', 'Limit exceeded', { id: 'QUERY-4M0fs' })
  const offset = request?.offset ?? 0n
  return { offset: Number(offset < Number.MAX_SAFE_INTEGER ? offset : Number.MAX_SAFE_INTEGER), limit, ascending: request?.asc ?? false }
}

/** The part of a list that is at hand, oldest first. */
export function cut<T>(rows: readonly T[], { offset, limit, ascending }: Part): readonly T[] {
  return (ascending ? rows : rows.toReversed()).slice(offset, offset + limit)
}
