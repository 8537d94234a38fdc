/**
 * ZITADEL's API: its published contract, transcoded from the descriptors. One handler serves one RPC; addresses, JSON, validation and
 * the form of errors are derived. An RPC without a handler answers 501.
 *
 * Owns everything below the prefixes of ZITADEL's API. Hands bearer tokens and metadata to the domain, and an unexpected error to
 * the application's `error` event for the log. It must not know which database runs or how tokens are made.
 */
import type { Context, Middleware } from 'koa'
import type { AuthenticateNeeds } from './authenticate.ts'
import type { HandlerNeeds } from './handlers.ts'

export type ZitadelNeeds = AuthenticateNeeds & HandlerNeeds

const prefixes = ['/auth/v1/', '/management/v1/', '/admin/v1/', '/v2/', '/v2beta/', '/zitadel.']

/**
 * A middleware that answers every request to ZITADEL's API, and passes on everything else. The gateway behind it comes with the first request:
 * the descriptors take some 20 MB and a tenth of a second, which a server that is never asked should not spend.
 */
export function createZitadelSurface(needs: ZitadelNeeds): Middleware {
  let gateway: ((ctx: Context) => Promise<void>) | undefined
  async function load() {
    const { createGateway } = await import('./gateway.ts')
    gateway ??= createGateway(needs)
    return gateway
  }
  return (ctx, next) => {
    const { path } = ctx
    if (!prefixes.some((prefix) => path.startsWith(prefix))) return next()
    return gateway ? gateway(ctx) : load().then((loaded) => loaded(ctx))
  }
}
