import type { Context, Middleware } from 'koa'
import { randomText } from '#src/base/ids.ts'
import type { Log } from '#src/platform/log.ts'
import type { RequestState } from './context.ts'

const quiet = new Set(['/healthz', '/readyz'])

/**
 * Gives every request an id and one line in the log, at its end. The line has the path without its query, which may hold codes and
 * tokens, and no address.
 */
export function requestLog(log: Log): Middleware {
  return async (ctx: Context, next) => {
    const startedAt = performance.now()
    const requestId = randomText(12)
    ;(ctx.state as RequestState).requestId = requestId
    ctx.res.setHeader('X-Request-Id', requestId)
    try {
      await next()
    } finally {
      if (!quiet.has(ctx.path)) {
        const milliseconds = Math.round((performance.now() - startedAt) * 1000) / 1000
        log.info({ requestId, method: ctx.method, path: safePath(ctx.path), status: ctx.status, milliseconds }, 'request')
      }
    }
  }
}

const withUid = ['/interaction/', '/oauth/v2/authorize/', '/device/']

/** The uid of an interaction is half a key to it: it is left out. */
function safePath(path: string): string {
  const prefix = withUid.find((each) => path.startsWith(each))
  return prefix === undefined ? path : `${prefix}:uid${path.slice(prefix.length).replace(/^[^/]+/, '')}`
}
