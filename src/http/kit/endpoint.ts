import type { Context, Middleware } from 'koa'

/** One address of ours. A path may have `:name` segments, which arrive in `ctx.params`. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly handle: (ctx: Context) => Promise<void> | void
}

interface Route {
  readonly segments: readonly string[]
  readonly methods: Map<string, Endpoint['handle']>
}

/**
 * A middleware that serves `endpoints` and passes on everything else. A known path with another method answers 405 with `Allow`; GET serves HEAD.
 */
export function routes(endpoints: readonly Endpoint[]): Middleware {
  const fixed = new Map<string, Route>()
  const open = new Map<string, Route>()
  for (const { method, path, handle } of endpoints) {
    const map = path.includes('/:') ? open : fixed
    const route = map.get(path) ?? { segments: path.split('/'), methods: new Map() }
    route.methods.set(method, handle)
    if (method === 'GET') route.methods.set('HEAD', handle)
    map.set(path, route)
  }
  const patterns = [...open.values()]
  /** What an address with a pattern begins with: most do not, and need not be taken apart. */
  const beginnings = [...new Set([...open.keys()].map((path) => path.slice(0, path.indexOf('/:') + 1)))]

  return async (ctx, next) => {
    const route = fixed.get(ctx.path) ?? (beginnings.some((beginning) => ctx.path.startsWith(beginning)) ? match(patterns, ctx) : undefined)
    if (!route) return next()
    const handle = route.methods.get(ctx.method)
    if (handle) return handle(ctx)
    ctx.set('Allow', [...route.methods.keys()].join(', '))
    ctx.status = 405
  }
}

function match(patterns: readonly Route[], ctx: Context): Route | undefined {
  const given = ctx.path.split('/')
  const route = patterns.find(
    ({ segments }) =>
      segments.length === given.length && segments.every((segment, index) => segment.startsWith(':') || segment === given[index]),
  )
  if (route) {
    ctx.params = Object.fromEntries(
      route.segments.flatMap((segment, index) => (segment.startsWith(':') ? [[segment.slice(1), given[index] as string]] : [])),
    )
  }
  return route
}
