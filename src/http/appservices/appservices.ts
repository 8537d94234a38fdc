/**
 * MongoDB Atlas App Services' client API and admin API (contracts/app-services.md, sections 4 and 5): what `realm-web` and the other SDKs call, and what tools do. Owns its addresses, its JSON and the form of its
 * errors; hands everything else to the domain. Knows neither the database nor how functions are run.
 */
import type { Middleware } from 'koa'
import type { Apps } from '#src/domain/apps/apps.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import { routes } from '../kit/endpoint.ts'
import { type AdminNeeds, adminEndpoints } from './admin.ts'
import { type ClientNeeds, clientEndpoints } from './client.ts'
import { allowOrigin } from './cors.ts'
import { answerError } from './errors.ts'

export interface AppServicesNeeds extends ClientNeeds, AdminNeeds {
  readonly apps: Apps
  readonly users: AdminNeeds['users']
}

const clientPrefix = '/api/client/v2.0'
const adminPrefix = '/api/admin/v3.0'

const below = (prefix: string, endpoints: readonly Endpoint[]): readonly Endpoint[] =>
  endpoints.map(({ path, ...rest }) => ({ ...rest, path: prefix + path }))

/** A middleware that answers everything below the addresses of the client API and the admin API, and passes on the rest. */
export function createAppServices(needs: AppServicesNeeds): Middleware {
  const serve = routes([...below(clientPrefix, clientEndpoints(needs)), ...below(adminPrefix, adminEndpoints(needs))])

  return async (ctx, next) => {
    const isClient = ctx.path.startsWith(`${clientPrefix}/`)
    if (!isClient && !ctx.path.startsWith(`${adminPrefix}/`)) return next()
    ctx.set('Cache-Control', 'no-store')
    ctx.set('X-Content-Type-Options', 'nosniff')
    try {
      // Nobody administrates from a page of somebody else's.
      if (isClient && (await allowOrigin(ctx, needs.apps))) return
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
