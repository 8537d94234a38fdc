import type { Context, Middleware } from 'koa'
import type { Clock } from '#src/base/clock.ts'
import { randomText } from '#src/base/ids.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import { BodyUnsupported, engineFormBytes, readBody } from './body.ts'
import type { Pages } from './pages.ts'
import { answerProblem } from './problems.ts'

export interface PostedRequestsDeps {
  readonly paths: readonly string[]
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put'>
  readonly pages: Pages
  readonly now: Clock
}

interface Posted {
  readonly path: string
  /** The parameters, form-encoded. */
  readonly query: string
  /** Milliseconds. */
  readonly until: number
}

const model = 'PostedRequest'
/** As long as a person may take to reload the page that it led to. */
const lifetimeMs = 300_000
const reference = /^posted=([\w-]{43})$/

/**
 * Answers a form that is posted to one of `paths` with a redirect to the same address, by GET: OpenID Connect lets an application post its request, and
 * cookies that are `SameSite=Lax` come along with a GET only. The parameters stay here, under a random id in the address: an `id_token_hint` gets into
 * nobody's log or history, and a request may be as long as a form. The id stands for what was posted and for nothing else, so whoever has it can do what
 * they could with an address that carries the parameters; it is tied to its path and ends after five minutes.
 * @throws BodyTooLarge, BodyUnsupported
 */
export function postedRequests({ paths, artifacts, pages, now }: PostedRequestsDeps): Middleware {
  async function keep(ctx: Context): Promise<void> {
    if (!ctx.is('application/x-www-form-urlencoded')) throw new BodyUnsupported('application/x-www-form-urlencoded')
    const query = new URLSearchParams((await readBody(ctx, engineFormBytes)).toString('utf8')).toString()
    const id = randomText(32)
    const until = now().getTime() + lifetimeMs
    const payload: Posted = { path: ctx.path, query, until }
    await artifacts.put({ model, id, payload: { ...payload }, expiresAt: new Date(until) })
    ctx.status = 303
    ctx.set('Cache-Control', 'no-store')
    ctx.redirect(`${ctx.path}?posted=${id}`)
  }

  return async (ctx, next) => {
    if (!paths.includes(ctx.path)) return next()
    if (ctx.method === 'POST') return keep(ctx)
    const [, id] = reference.exec(ctx.querystring) ?? []
    if (id === undefined) return next()
    const posted = (await artifacts.find(model, id))?.payload as Posted | undefined
    if (posted?.path === ctx.path && posted.until > now().getTime()) {
      ctx.querystring = posted.query
      return next()
    }
    await answerProblem(ctx, pages, {
      status: 400,
      code: 'request_expired',
      sentence: 'requestExpired',
    })
  }
}
