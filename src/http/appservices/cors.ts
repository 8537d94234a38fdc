import type { Context } from 'koa'
import type { Apps } from '#src/domain/apps/apps.ts'

const exposed = 'X-Baas-Location, Retry-After'

/**
 * Lets browsers of other origins call: any, or those that the app lists (`allowed_request_origins`). No answer depends on a cookie. Answers a preflight, which is told by `true`.
 */
export async function allowOrigin(ctx: Context, apps: Pick<Apps, 'findByClientAppId'>): Promise<boolean> {
  const origin = ctx.get('Origin')
  const isPreflight = ctx.method === 'OPTIONS' && ctx.get('Access-Control-Request-Method') !== ''
  ctx.vary('Origin')
  if (origin !== '' && (await isAllowed(ctx, origin, apps))) {
    ctx.set('Access-Control-Allow-Origin', origin)
    // SDKs ask for it when they link an identity.
    ctx.set('Access-Control-Allow-Credentials', 'true')
    ctx.set('Access-Control-Expose-Headers', exposed)
    if (isPreflight) {
      ctx.set('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE')
      ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, Accept')
      ctx.set('Access-Control-Max-Age', '600')
    }
  }
  if (isPreflight) ctx.status = 204
  return isPreflight
}

async function isAllowed(ctx: Context, origin: string, apps: Pick<Apps, 'findByClientAppId'>): Promise<boolean> {
  const clientAppId = /^\/api\/client\/v2\.0\/app\/([^/]+)\//.exec(ctx.path)?.[1]
  const view = clientAppId === undefined ? undefined : await apps.findByClientAppId(clientAppId)
  const origins = view?.configuration.realm.allowed_request_origins ?? []
  return origins.length === 0 || origins.includes(origin)
}
