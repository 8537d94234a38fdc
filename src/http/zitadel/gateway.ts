import type { Message } from '@bufbuild/protobuf'
import type { Context } from 'koa'
import { readBody } from '../kit/body.ts'
import { type AuthenticateNeeds, createAuthenticate } from './authenticate.ts'
import { StatusError, statusOf, unexpected } from './errors.ts'
import { type Handler, nameOf } from './handler.ts'
import { createHandlers, type HandlerNeeds } from './handlers.ts'
import { assertOrigin, shareWithBrowsers } from './origins.ts'
import { writeMessage } from './protojson.ts'
import { createRouteGroups } from './published.ts'
import { type Match, type Routes, segmentsOf } from './routes.ts'
import { readRequest } from './transcode.ts'
import { validate } from './validate.ts'

/** Answers HTTP requests to the published RPCs with what their handlers make of them. */
export function createGateway(needs: AuthenticateNeeds & HandlerNeeds): (ctx: Context) => Promise<void> {
  const handlers = createHandlers(needs)
  const authenticate = createAuthenticate(needs)
  const groups = createRouteGroups()

  async function answer(ctx: Context, routes: Routes): Promise<string> {
    const { route, values } = routeOf(ctx, routes)
    const handler = handlers.get(nameOf(route.rpc))
    if (!handler) throw new StatusError('unimplemented', `${nameOf(route.rpc)} is not served`)
    const caller = await authenticate(ctx)
    assertOrigin(ctx, caller)
    const body = route.hasBody ? await bodyOf(ctx, handler) : noBytes
    const request: Message = readRequest(route, { values, query: ctx.querystring, body })
    validate(route.rpc.input, request)
    return writeMessage(route.rpc.output, await handler.handle(request, caller))
  }

  return async (ctx) => {
    const group = groups.find(({ prefix }) => ctx.path.startsWith(prefix))
    if (!group) return refuseConnect(ctx)
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

/** The Connect protocol is not spoken yet; its clients are told so in its own form. */
function refuseConnect(ctx: Context): void {
  ctx.set(replyHeaders)
  ctx.status = 501
  ctx.body = JSON.stringify({ code: 'unimplemented', message: `${ctx.path.slice(1)} is not served` })
}
