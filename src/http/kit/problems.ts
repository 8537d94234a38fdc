import type { Context, Middleware } from 'koa'
import { Busy, DomainError, StoreUnavailable } from '#src/base/errors.ts'
import type { Log } from '#src/platform/log.ts'
import { requestIdOf } from './context.ts'
import { setSecurityHeaders } from './headers.ts'
import type { Pages } from './pages.ts'

/** What a person or a client is told of a failure. `code` is for both; the sentence is for people. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly sentence: string
}

const problemsByCode: Readonly<Record<string, Omit<Problem, 'code' | 'sentence'>>> = {
  request_too_large: { status: 413, title: 'Request error' },
  unsupported_media_type: { status: 415, title: 'Request error' },
  session_not_found: { status: 400, title: 'Request error' },
  busy: { status: 503, title: 'Too busy' },
  store_unavailable: { status: 503, title: 'Not available' },
}

/** What `error` means to the caller. What is not meant for callers says no more than that something failed. */
function problemOf(error: unknown): Problem {
  const known = error instanceof DomainError ? problemsByCode[error.code] : undefined
  if (known && error instanceof DomainError) {
    const sentence =
      error instanceof StoreUnavailable ? 'The service cannot reach its store right now. Try again in a moment.' : sentenceOf(error)
    return { ...known, code: error.code, sentence }
  }
  return {
    status: 500,
    code: 'server_error',
    title: 'Something went wrong',
    sentence: 'The fault is ours, and it has been logged under the id below.',
  }
}

const sentenceOf = (error: Error) => `${error.message[0]?.toUpperCase()}${error.message.slice(1)}.`

/** Answers with a problem: a page for a person, JSON in OAuth's form for a program. */
export async function answerProblem(ctx: Context, pages: Pages, problem: Problem): Promise<void> {
  setSecurityHeaders(ctx)
  if (ctx.accepts('json', 'html') === 'html') {
    await pages.show(ctx, 'interactions/error', { ...problem, requestId: requestIdOf(ctx) }, problem.status)
    return
  }
  ctx.status = problem.status
  ctx.set('Cache-Control', 'no-store')
  const error = problem.status === 503 ? 'temporarily_unavailable' : problem.status < 500 ? 'invalid_request' : 'server_error'
  ctx.body = { error, error_description: problem.sentence }
}

/** Whether the client went away before it had sent its whole request: nobody is there to be told, and nobody is at fault. */
export const hasGone = ({ req }: Context) => !req.complete && (req.errored !== null || req.socket.destroyed || req.socket.readableEnded)

/** Turns whatever is thrown further in into an answer, and what nobody expected into a line of the log. */
export function problems({ pages, log }: { pages: Pages; log: Log }): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 405 && ctx.body === undefined) {
        await answerProblem(ctx, pages, {
          status: 405,
          code: 'method_not_allowed',
          title: 'Request error',
          sentence: 'This address takes other requests. Go back to the application and start again.',
        })
      }
      if (ctx.status === 404 && ctx.body === undefined) {
        await answerProblem(ctx, pages, {
          status: 404,
          code: 'not_found',
          title: 'Not found',
          sentence: 'There is nothing at this address.',
        })
      }
    } catch (error) {
      if (hasGone(ctx)) {
        ctx.status = 400
        return
      }
      const problem = problemOf(error)
      if (problem.status === 500) log.error({ requestId: requestIdOf(ctx), err: error }, 'a request failed')
      else if (problem.status === 503) log.warn({ requestId: requestIdOf(ctx), reason: (error as Error).message }, 'a request was put off')
      if (error instanceof StoreUnavailable || error instanceof Busy) ctx.set('Retry-After', String(error.retryAfterSeconds))
      // The rest of a body that was refused is not wanted.
      if (problem.status === 413) ctx.set('Connection', 'close')
      await answerProblem(ctx, pages, problem)
    }
  }
}
