import type { Context, Middleware } from 'koa'
import { Busy, DomainError, StoreUnavailable } from '#src/base/errors.ts'
import type { Log } from '#src/platform/log.ts'
import { requestIdOf } from './context.ts'
import { setSecurityHeaders } from './headers.ts'
import type { Facts, Texts } from './messages.ts'
import type { Pages } from './pages.ts'
import { problemText } from './problemText.ts'

/** What a person or a client is told of a failure. `code` is for both; title and sentence are keys in `problems.json`. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly title?:
    | 'requestError'
    | 'notFound'
    | 'somethingWrong'
    | 'tooBusy'
    | 'notAvailable'
    | 'notSignedIn'
    | 'notAllowed'
    | 'doneAlready'
  readonly sentence: string
  readonly facts?: Facts
  /** Where a person begins again, if they can. */
  readonly again?: string
}

/** Whether the sentence is the error's own, which stands under its code (see problemText). */
type Known = Pick<Problem, 'status' | 'title'> & { readonly sentence?: string }

const problemsByCode: Readonly<Record<string, Known>> = {
  request_too_large: { status: 413 },
  unsupported_media_type: { status: 415 },
  session_not_found: { status: 400 },
  'pages.login_not_completed': { status: 400, title: 'notSignedIn' },
  busy: { status: 503, title: 'tooBusy' },
  store_unavailable: { status: 503, title: 'notAvailable', sentence: 'storeUnavailable' },
}

/** What `error` means to the caller. What is not meant for callers says no more than that something failed. */
export function problemOf(error: unknown): Problem & { readonly cause?: DomainError } {
  const known = error instanceof DomainError ? problemsByCode[error.code] : undefined
  if (known && error instanceof DomainError) return { sentence: '', ...known, code: error.code, cause: error }
  return { status: 500, code: 'server_error', title: 'somethingWrong', sentence: 'serverError' }
}

/** Answers with a problem: a page for a person, JSON in OAuth's form for a program. */
export async function answerProblem(ctx: Context, pages: Pages, problem: Problem & { readonly cause?: DomainError }): Promise<void> {
  setSecurityHeaders(ctx)
  const { status, code, title = 'requestError', sentence, facts, again, cause } = problem
  const say = (texts: Texts) => (sentence === '' && cause ? problemText(texts, cause) : texts.t(`problems.${sentence}`, facts))
  if (ctx.accepts('json', 'html') === 'html') {
    const texts = pages.textsFor(ctx)
    const told = { code, title: texts.t(`problems.title.${title}`), sentence: say(texts), again, requestId: requestIdOf(ctx) }
    await pages.show(ctx, 'interactions/error', told, status)
    return
  }
  ctx.status = problem.status
  ctx.set('Cache-Control', 'no-store')
  const error = problem.status === 503 ? 'temporarily_unavailable' : problem.status < 500 ? 'invalid_request' : 'server_error'
  ctx.body = { error, error_description: say(pages.englishTexts) }
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
          sentence: 'methodNotAllowed',
        })
      }
      if (ctx.status === 404 && ctx.body === undefined) {
        await answerProblem(ctx, pages, {
          status: 404,
          code: 'not_found',
          title: 'notFound',
          sentence: 'notFound',
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
