import type { Context } from 'koa'
import { readBody } from '../kit/body.ts'
import type { Dispatch } from './dispatch.ts'
import { StatusError, statusOf, unexpected } from './errors.ts'
import type { Handler } from './handler.ts'
import { shareWithBrowsers } from './origins.ts'
import { writeMessage } from './protojson.ts'
import { createRouteGroups } from './published.ts'
import { type Match, type Routes, segmentsOf } from './routes.ts'
import { readRequest } from './transcode.ts'

/** Answers HTTP requests to the published addresses of RPCs. */
export function createGateway(dispatch: Dispatch): (ctx: Context) => Promise<void> {
  const groups = createRouteGroups()

  async function answer(ctx: Context, routes: Routes): Promise<string> {
    const { route, values } = routeOf(ctx, routes)
    const reply = await dispatch.call(route.rpc, ctx, async (handler) => {
      const body = route.hasBody ? await bodyOf(ctx, handler) : noBytes
      return readRequest(route, { values, query: ctx.querystring, body })
    })
    ctx.status = route.status
    return writeMessage(route.rpc.output, reply)
  }

  return async (ctx) => {
    const group = groups.find(({ prefix }) => ctx.path.startsWith(prefix))
    if (!group) return ctx.throw(404)
    ctx.set(replyHeaders)
    if (shareWithBrowsers(ctx)) return
    try {
      ctx.body = await answer(ctx, await group.routes())
    } catch (error) {
      const status = statusOf(error)
      // A client that went away in the middle of its request is nobody's fault.
      if (!status && error !== ctx.req.errored) ctx.app.emit('error', error, ctx)
      refuse(ctx, status ?? unexpected())
    }
  }
}

const noBytes = Buffer.alloc(0)
const replyHeaders = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }

function routeOf(ctx: Context, routes: Routes): Extract<Match, { values: unknown }> {
  const match = routes.find(ctx.method, decodedSegments(ctx.path))
  if (match.route) return match
  if (match.methods.length === 0) throw new StatusError('notFound', 'Not Found')
  throw new StatusError('unimplemented', 'Method Not Allowed', { httpStatus: 405, headers: { Allow: match.methods.join(', ') } })
}

/** The segments of a path as text: an escaped slash belongs to its segment. */
function decodedSegments(path: string): string[] {
  if (!path.includes('%')) return segmentsOf(path)
  try {
    return segmentsOf(path).map(decodeURIComponent)
  } catch {
    throw new StatusError('invalidArgument', 'the path is not percent-encoded UTF-8')
  }
}

async function bodyOf(ctx: Context, { bodyLimitBytes }: Handler): Promise<Buffer> {
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = ctx.req.headers
  const isJson = type === undefined || /^application\/json\s*(?:;|$)/i.test(type)
  const body = await readBody(ctx, bodyLimitBytes)
  if (body.length > 0 && (!isJson || encoding !== 'identity')) {
    throw new StatusError('invalidArgument', 'the body of the request must be application/json', { httpStatus: 415 })
  }
  return body
}

function refuse(ctx: Context, status: StatusError): void {
  ctx.status = status.httpStatus
  ctx.set(status.headers)
  ctx.body = JSON.stringify(status)
}
