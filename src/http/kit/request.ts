import { randomBytes } from 'node:crypto'
import type { Context, Middleware } from 'koa'
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
    const requestId = newRequestId()
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

let pool = Buffer.alloc(0)
let used = 0

/** 96 random bits; drawn from a pool because a system call for each request costs more than the rest of this file. */
function newRequestId(): string {
  if (used + 12 > pool.length) {
    pool = randomBytes(12 * 256)
    used = 0
  }
  used += 12
  return pool.toString('base64url', used - 12, used)
}

const withUid = ['/interaction/', '/oauth/v2/authorize/', '/device/']

/** The uid of an interaction is half a key to it: it is left out. */
function safePath(path: string): string {
  const prefix = withUid.find((each) => path.startsWith(each))
  return prefix === undefined ? path : `${prefix}:uid${path.slice(prefix.length).replace(/^[^/]+/, '')}`
}
