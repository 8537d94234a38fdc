import type { Context } from 'koa'
import { Busy, DomainError, StoreUnavailable } from '#src/base/errors.ts'
import { AppRefused } from '#src/domain/apps/failures.ts'
import { FunctionFailed, FunctionNotFound } from '#src/domain/apps/functions.ts'
import { requestIdOf } from '../kit/context.ts'

/** What the client is told: App Services' status, code and sentence. */
interface Refusal {
  readonly status: number
  readonly errorCode: string
  readonly message: string
  readonly retryAfterSeconds?: number | undefined
}

/** By the codes of errors that other rooms throw. */
const known: Readonly<Record<string, readonly [status: number, errorCode: string]>> = {
  request_too_large: [413, 'RequestTooLarge'],
  unsupported_media_type: [415, 'BadRequest'],
  'user.not_found': [404, 'UserNotFound'],
  'user.invalid': [400, 'BadRequest'],
  'user.too_many_attempts': [429, 'TooManyRequests'],
  'documents.refused': [400, 'MongoDBError'],
  'app.not_found': [404, 'AppNotFound'],
  'federation.refused': [401, 'AuthError'],
  'federation.no_such_provider': [404, 'AuthProviderNotFound'],
  'app.faults': [400, 'BadRequest'],
}

/** What the client is told of an error; `undefined` for one that nobody expected. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof AppRefused) return error
  if (error instanceof FunctionFailed) return { status: 400, errorCode: error.errorCode, message: error.message }
  if (error instanceof FunctionNotFound) return { status: 404, errorCode: 'FunctionNotFound', message: error.message }
  if (error instanceof StoreUnavailable || error instanceof Busy) {
    return {
      status: 503,
      errorCode: 'ServiceUnavailable',
      message: 'the service is not available',
      retryAfterSeconds: error.retryAfterSeconds,
    }
  }
  const found = error instanceof DomainError ? known[error.code] : undefined
  return found && { status: found[0], errorCode: found[1], message: (error as Error).message }
}

const isRefusal = (error: unknown): error is Refusal =>
  typeof error === 'object' && error !== null && !(error instanceof Error) && 'errorCode' in error

/** Answers an error in App Services' form; `false` for one that nobody expected. */
export function answerError(ctx: Context, error: unknown): boolean {
  const refusal = isRefusal(error) ? error : refusalOf(error)
  if (!refusal) return false
  const { status, errorCode, message, retryAfterSeconds } = refusal
  ctx.status = status
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
  // The rest of a body that was refused is not wanted.
  if (status === 413) ctx.set('Connection', 'close')
  ctx.body = { error: message, error_code: errorCode, link: `/logs?request_id=${requestIdOf(ctx)}` }
  return true
}
