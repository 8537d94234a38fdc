import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoErrorLabel,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoServerError,
  MongoSystemError,
  MongoTopologyClosedError,
} from 'mongodb'
import { StoreUnavailable } from '#src/base/errors.ts'

/** Somebody else changed the record between the reading and the writing: the change is to be decided again. */
export class RaceLost extends Error {}

/** What the server's codes mean to whoever runs it. Codes of a change of primary and of the network stand in `passing` below. */
const conditions: Readonly<Record<number, string>> = {
  13: 'its user may not do that there',
  18: 'it does not accept the credentials',
  50: 'it took too long',
  64: 'too few of its members answer',
  79: 'it does not know the write concern',
  100: 'too few of its members answer',
  134: 'too few of its members answer',
  262: 'it took too long',
  8000: 'Atlas refuses it (credentials, rights or quota)',
  14031: 'its disk is full',
}

/** Codes that pass by themselves: no primary now, another one a moment later, a network that broke. */
const passing = new Set([6, 7, 43, 63, 89, 91, 133, 150, 189, 234, 317, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436])

const closings = [MongoClientClosedError, MongoTopologyClosedError, MongoExpiredSessionError]

const duplicateKey = 11_000
const writeConflict = 112

/** What went wrong itself: the driver wraps the failures of a write of many documents, labels and all. */
function failureIn(error: unknown): unknown {
  return error instanceof MongoBulkWriteError && error.errorResponse instanceof MongoError ? error.errorResponse : error
}

function codeOf(error: unknown): number {
  const failure = failureIn(error)
  // A connection that keeps BSON's types has one for this number too.
  return failure instanceof MongoServerError ? Number(failure.code) || 0 : 0
}

function hasLabel(error: unknown, label: MongoErrorLabel): boolean {
  const failure = failureIn(error)
  return failure instanceof MongoError && failure.hasErrorLabel(label)
}

/** Whether a unique index refused a document. */
const isDuplicate = (error: unknown) => codeOf(error) === duplicateKey

/** Whether the same change may succeed when it is decided again on what is there now. */
export const isRace = (error: unknown) =>
  error instanceof RaceLost || codeOf(error) === writeConflict || hasLabel(error, MongoErrorLabel.TransientTransactionError)

/** Whether a commit may or may not have happened; asking for it again is safe. */
export const isUnknownCommit = (error: unknown) => hasLabel(error, MongoErrorLabel.UnknownTransactionCommitResult)

/** Whether the socket failed under the driver, which now and then hands on what Node said (`EPIPE`) as it is. */
const isSocketFailure = (error: unknown) =>
  error instanceof Error && 'code' in error && /^(E[A-Z]+|ERR_(SOCKET|STREAM)_[A-Z_]+)$/.test(String(error.code))

/** Why the server cannot work now, in words that fit after "because"; `undefined` when `error` is of another kind. */
export function conditionOf(error: unknown): string | undefined {
  const failure = failureIn(error)
  if (failure instanceof MongoSystemError) return 'no server that could write answers'
  if (failure instanceof MongoNetworkError || isSocketFailure(failure)) return 'the connection broke'
  if (failure instanceof MongoNotConnectedError || failure instanceof MongoServerClosedError) return 'the connection broke'
  if (closings.some((closing) => failure instanceof closing)) return 'it is closed'
  if (failure instanceof Error && failure.name === 'MongoWaitQueueTimeoutError') return 'every connection is in use'
  const code = codeOf(failure)
  if (passing.has(code)) return 'it is changing its primary'
  if (conditions[code] !== undefined) return conditions[code]
  if (isRace(failure)) return 'too many change the same record at once'
  return isUnknownCommit(failure) || hasLabel(failure, MongoErrorLabel.RetryableWriteError) ? 'it is changing its primary' : undefined
}

/** `error` as callers of a store know it: `StoreUnavailable` for the state of the server, anything else as it is. */
export function translated(error: unknown): unknown {
  const condition = conditionOf(error)
  return condition === undefined ? error : new StoreUnavailable(condition, { cause: error })
}

/** Runs `write`, and throws what `refusal` makes when a unique index refused it. */
export async function refusing<T>(write: Promise<T>, refusal: (cause: unknown) => Error): Promise<T> {
  try {
    return await write
  } catch (error) {
    throw isDuplicate(error) ? refusal(error) : error
  }
}

/** Whether `insert` wrote its document; `false` when a unique index refused it. */
export async function inserted(insert: Promise<unknown>): Promise<boolean> {
  try {
    await insert
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}
