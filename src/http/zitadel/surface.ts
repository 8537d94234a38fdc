/**
 * ZITADEL's API: its published contract, transcoded from the descriptors. One handler serves one RPC; addresses, JSON, validation and
 * the form of errors are derived, and so are Connect, gRPC-web and gRPC. An RPC without a handler answers 501.
 *
 * Owns everything below the prefixes of ZITADEL's API. Hands bearer tokens and metadata to the domain, and an unexpected error to
 * the application's `error` event for the log. It must not know which database runs or how tokens are made.
 */
import type { Context, Middleware } from 'koa'
import type { Dispatch, DispatchNeeds } from './dispatch.ts'
import type { GrpcServicesNeeds } from './grpcServices.ts'

export type ZitadelNeeds = DispatchNeeds & GrpcServicesNeeds

const prefixes = [
  '/auth/v1/',
  '/management/v1/',
  '/admin/v1/',
  '/v2/',
  '/v2beta/',
  '/system/v1/',
  '/resources/v3alpha/',
  '/zitadel.',
  '/grpc.',
]

type Answer = (ctx: Context) => Promise<void>

/**
 * A middleware that answers every request to ZITADEL's API, and passes on everything else. What is behind it comes with the first request:
 * the descriptors take some 20 MB and a tenth of a second, which a server that is never asked should not spend.
 */
export function createZitadelSurface(needs: ZitadelNeeds): Middleware {
  let rest: Answer | undefined
  let connect: Answer | undefined
  let dispatch: Promise<Dispatch> | undefined

  function dispatching(): Promise<Dispatch> {
    dispatch ??= import('./dispatch.ts').then(({ createDispatch }) => createDispatch(needs))
    return dispatch
  }
  async function loadRest() {
    const { createGateway } = await import('./gateway.ts')
    rest ??= createGateway(await dispatching())
    return rest
  }
  async function loadConnect() {
    const { createConnect } = await import('./connect.ts')
    connect ??= createConnect(await dispatching(), needs)
    return connect
  }

  return (ctx, next) => {
    const { path } = ctx
    if (!prefixes.some((prefix) => path.startsWith(prefix))) return next()
    if (path.startsWith('/zitadel.') || path.startsWith('/grpc.'))
      return connect ? connect(ctx) : loadConnect().then((answer) => answer(ctx))
    return rest ? rest(ctx) : loadRest().then((answer) => answer(ctx))
  }
}
