/**
 * MongoDB Atlas App Services' client API (contracts/app-services.md, section 4): what `realm-web` and the other SDKs call. Owns its addresses, its JSON and the form of its
 * errors; hands everything else to the domain. Knows neither the database nor how functions are run.
 */
import type { Context, Middleware } from 'koa'
import type { Endpoint } from '../kit/endpoint.ts'
import { routes } from '../kit/endpoint.ts'
import { type ClientNeeds, clientEndpoints } from './client.ts'
import { allowOrigin } from './cors.ts'
import { answerError } from './errors.ts'

export interface AppServicesNeeds extends ClientNeeds {
  /** Told of what nobody expected. */
  readonly onFault: (error: unknown, ctx: Context) => void
}

const prefix = '/api/client/v2.0/'

/** A middleware that answers everything below the client API's address, and passes on the rest. */
export function createAppServices(needs: AppServicesNeeds): Middleware {
  const endpoints: readonly Endpoint[] = clientEndpoints(needs).map(({ path, ...rest }) => ({ ...rest, path: prefix.slice(0, -1) + path }))
  const serve = routes(endpoints)

  return async (ctx, next) => {
    if (!ctx.path.startsWith(prefix)) return next()
    ctx.set('Cache-Control', 'no-store')
    ctx.set('X-Content-Type-Options', 'nosniff')
    try {
      if (await allowOrigin(ctx, needs.apps)) return
      await serve(ctx, async () => undefined)
      if (ctx.status === 404 && ctx.body === undefined)
        answerError(ctx, { status: 404, errorCode: 'NotFound', message: 'there is nothing at this address' })
      if (ctx.status === 405 && ctx.body === undefined)
        answerError(ctx, { status: 405, errorCode: 'MethodNotAllowed', message: 'this address takes other methods' })
    } catch (error) {
      if (!answerError(ctx, error)) {
        needs.onFault(error, ctx)
        answerError(ctx, { status: 500, errorCode: 'InternalServerError', message: 'the fault is ours, and it has been logged' })
      }
    }
  }
}
