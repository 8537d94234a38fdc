import type { ServerResponse } from 'node:http'
import type { Context, Middleware } from 'koa'
import { randomText } from '#src/base/ids.ts'
import { handmadeLines, type Log } from '#src/platform/log.ts'
import type { RequestState } from './context.ts'

const quiet = new Set(['/healthz', '/readyz'])

/** Gives a reply the id of its request, which stands in the log line too. */
export function giveId(response: ServerResponse): string {
  const requestId = randomText(12)
  response.setHeader('X-Request-Id', requestId)
  return requestId
}

interface Answered {
  readonly requestId: string
  readonly method: string
  readonly path: string
  readonly status: number
  /** By `performance.now()`. */
  readonly startedAt: number
}

/**
 * Writes one line for each request, at its end. The line has the path without its query, which may hold codes and tokens, and no
 * address.
 */
export function createRequestLines(log: Log): (answered: Answered) => void {
  const write = handmadeLines(log)
  return ({ requestId, method, path, status, startedAt }) => {
    if (!write || quiet.has(path)) return
    const milliseconds = Math.round((performance.now() - startedAt) * 1000) / 1000
    const safe = JSON.stringify(safePath(path))
    write(`"requestId":"${requestId}","method":"${method}","path":${safe},"status":${status},"milliseconds":${milliseconds}`, 'request')
  }
}

/** Gives every request an id and one line in the log. */
export function requestLog(writeLine: (answered: Answered) => void): Middleware {
  return async (ctx: Context, next) => {
    const startedAt = performance.now()
    const requestId = giveId(ctx.res)
    ;(ctx.state as RequestState).requestId = requestId
    try {
      await next()
    } finally {
      const { method, path, status } = ctx
      writeLine({ requestId, method, path, status, startedAt })
    }
  }
}

const withUid = ['/interaction/', '/oauth/v2/authorize/', '/device/']

/** The uid of an interaction is half a key to it: it is left out. */
function safePath(path: string): string {
  const prefix = withUid.find((each) => path.startsWith(each))
  return prefix === undefined ? path : `${prefix}:uid${path.slice(prefix.length).replace(/^[^/]+/, '')}`
}
