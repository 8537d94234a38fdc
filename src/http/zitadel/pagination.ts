import type { PaginationRequest } from '@zitadel/proto/zitadel/filter/v2/filter_pb.js'
import { StatusError } from './errors.ts'

const usualRows = 100
const maxRows = 1000

/** The part of a list that is asked for, as the second API has it: a hundred rows, newest first, unless the request says otherwise. @throws StatusError */
export function paginationOf(request: Pick<PaginationRequest, 'offset' | 'limit' | 'asc'> | undefined): {
  readonly offset: number
  readonly limit: number
  readonly ascending: boolean
} {
  const limit = request?.limit || usualRows
  if (limit > maxRows) throw new StatusError('invalidArgument', 'Limit exceeded', { id: 'QUERY-4M0fs' })
  const offset = request?.offset ?? 0n
  return { offset: Number(offset < Number.MAX_SAFE_INTEGER ? offset : Number.MAX_SAFE_INTEGER), limit, ascending: request?.asc ?? false }
}
