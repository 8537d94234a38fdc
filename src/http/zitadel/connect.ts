/**
 * The protocols of Connect, gRPC-web and gRPC, by the published descriptors: one address a method, `/{service}/{method}`. A service's descriptors are
 * loaded with its first call.
 */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { finished } from 'node:stream/promises'
import type { DescMethodUnary, DescService } from '@bufbuild/protobuf'
import {
  type Code,
  ConnectError,
  type ConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { ErrorDetailSchema } from '@zitadel/proto/zitadel/message_pb.js'
import type { Context } from 'koa'
import { bodyLimitBytes } from '../kit/body.ts'
import type { Call } from './call.ts'
import type { Dispatch } from './dispatch.ts'
import { type StatusError, statusOf, unexpected, withId } from './errors.ts'
import { type GrpcServicesNeeds, grpcServices, serveGrpcServices } from './grpcServices.ts'
import { shareWithBrowsers } from './origins.ts'
import { answerPlain, plainProtocol } from './plainCalls.ts'
import { publishedServices } from './published.ts'

interface Loaded {
  /** Answers in any of the protocols. */
  readonly answer: ReturnType<typeof connectNodeAdapter>
  /** By the names of methods; none of gRPC's own services, which are streams. */
  readonly rpcs: ReadonlyMap<string, DescMethodUnary>
}

/** Answers a request for a method by its name, in whichever of the protocols it is made. */
export function createConnect(dispatch: Dispatch, needs: GrpcServicesNeeds): (ctx: Context) => Promise<void> {
  const loaders = new Map(publishedServices.map(({ name, load }) => [name, load]))
  const loaded = new Map<string, Loaded>()

  async function load(name: string): Promise<Loaded> {
    const isOfGrpc = grpcServices.some(({ typeName }) => typeName === name)
    const service = await loaders.get(name)?.()
    const limits = service && (await limitsOf(dispatch, service))
    const rpcs = new Map(service?.methods.map((rpc) => [rpc.name, rpc as DescMethodUnary]))
    const answer = connectNodeAdapter({
      // Nothing of what is sent is worth the time of compressing it, which is the proxy's business.
      acceptCompression: [],
      contextValues: (request) => createContextValues().set(contextKey, contextOf.get(request)),
      routes(router) {
        if (isOfGrpc) serveGrpcServices(router, needs)
        if (limits) for (const rpc of rpcs.values()) serve(router, dispatch, rpc, limits.get(rpc.name))
      },
    })
    if (service || isOfGrpc) loaded.set(name, { answer, rpcs })
    return { answer, rpcs }
  }

  return async (ctx) => {
    if (shareWithBrowsers(ctx)) return
    const [, name = '', method = ''] = ctx.path.split('/')
    const { answer, rpcs } = loaded.get(name) ?? (await load(name))
    const protocol = plainProtocol(ctx)
    const rpc = protocol && rpcs.get(method)
    if (protocol && rpc) return answerPlain(ctx, { dispatch, rpc, protocol, refusalOf: (error) => refusalOf(error, ctx) })
    ctx.respond = false
    ctx.res.statusCode = 200
    contextOf.set(ctx.req, ctx)
    answer(ctx.req, ctx.res)
    // A client that went away in the middle is nobody's fault.
    await finished(ctx.res).catch(() => undefined)
    // The rest of a request that was refused before its end stands between the client and its next one: a little is read away, more is not waited for.
    if (ctx.req.complete || ctx.req.httpVersionMajor !== 1) return
    if ((ctx.request.length ?? Number.POSITIVE_INFINITY) <= bodyLimitBytes) ctx.req.resume()
    else ctx.req.socket.destroySoon()
  }
}

/** Koa's context of a request, for its handler. */
const contextOf = new WeakMap<IncomingMessage | Http2ServerRequest, Context>()
const contextKey = createContextKey<Context | undefined>(undefined)

/** How long the requests of a service may be, by method. */
async function limitsOf(dispatch: Dispatch, { methods }: DescService): Promise<ReadonlyMap<string, number>> {
  const entries = methods.map(async (rpc) => [rpc.name, (await dispatch.handlerOf(rpc))?.bodyLimitBytes ?? bodyLimitBytes] as const)
  return new Map(await Promise.all(entries))
}

function serve(router: ConnectRouter, dispatch: Dispatch, rpc: DescMethodUnary, readMaxBytes?: number): void {
  router.rpc(
    rpc,
    async (request, { values }: HandlerContext) => {
      const ctx = values.get(contextKey) as Context
      try {
        return await dispatch.call(rpc, ctx satisfies Call, () => request)
      } catch (error) {
        throw refusalOf(error, ctx)
      }
    },
    { readMaxBytes },
  )
}

/** What is said to the caller of an error; what nobody expected is told to the log. */
function refusalOf(error: unknown, ctx: Context): ConnectError {
  const status = statusOf(error)
  if (!status && error !== ctx.req.errored) ctx.app.emit('error', error, ctx)
  return connectErrorOf(status ?? unexpected())
}

function connectErrorOf(status: StatusError): ConnectError {
  const { id, message, number, headers } = status
  const details = id === undefined ? [] : [{ desc: ErrorDetailSchema, value: { id, message } }]
  return new ConnectError(withId(message, id), number as Code, headers, details)
}
