/**
 * Browsers of other origins (CORS). No cookie says anything here, so every origin may read what a token gives it; but the token must be of an application of that
 * origin, as ZITADEL has it.
 */
import type { Context } from 'koa'
import type { Caller } from './authenticate.ts'
import type { Call } from './call.ts'
import { StatusError } from './errors.ts'

/** What a browser's client of gRPC-web or Connect has to see (`cors.exposedHeaders` of Connect). */
const exposed = 'Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, X-Request-Id'

/** Lets a page of any origin read the reply. Answers a preflight, which the browser keeps for an hour; `true` when it was one. */
export function shareWithBrowsers(ctx: Context): boolean {
  const { origin, 'access-control-request-method': method } = ctx.req.headers
  if (origin === undefined) return false
  ctx.set('Access-Control-Allow-Origin', origin)
  ctx.vary('Origin')
  ctx.set('Access-Control-Expose-Headers', exposed)
  if (ctx.method !== 'OPTIONS' || method === undefined) return false
  ctx.set('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE')
  ctx.set('Access-Control-Allow-Headers', ctx.get('Access-Control-Request-Headers'))
  ctx.set('Access-Control-Max-Age', '3600')
  ctx.status = 204
  return true
}

/** Refuses a page of an origin that is not of the application which the token was issued to. A token that no application stands behind has none. */
export function assertOrigin({ headers }: Call, { origins }: Caller): void {
  const { origin } = headers
  if (origin === undefined || origins === undefined || origins.has(origin)) return
  throw new StatusError('permissionDenied', 'Origin is not allowed', { id: 'AUTH-DZG21' })
}
