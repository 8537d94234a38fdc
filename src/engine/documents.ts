import { createHash } from 'node:crypto'
import type { Context } from 'koa'
import { publishAheadSeconds } from '#src/domain/keys/keys.ts'

type Next = () => Promise<unknown>

const paths = new Set(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/oauth/v2/keys'])

const cacheControl = `public, max-age=${publishAheadSeconds / 2}`

interface Served {
  readonly body: string
  readonly etag: string
}

/**
 * Serves discovery and the key set from memory. The engine makes each once; it is kept until `version` changes. Both are open to every
 * origin, and may be kept for half of the time for which a new key is published before it signs.
 */
export function createDocuments({
  version,
  complete,
}: {
  version: () => string
  complete: (path: string, document: Record<string, unknown>) => void
}) {
  const served = new Map<string, Served>()
  let made = ''

  function answer(ctx: Context, { body, etag }: Served) {
    ctx.res.setHeader('Access-Control-Allow-Origin', '*')
    ctx.res.setHeader('Cache-Control', cacheControl)
    ctx.res.setHeader('ETag', etag)
    ctx.res.setHeader('X-Content-Type-Options', 'nosniff')
    ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8')
    if (ctx.req.headers['if-none-match']?.split(/\s*,\s*/).includes(etag)) {
      ctx.status = 304
      return
    }
    ctx.status = 200
    ctx.body = body
  }

  return async function documents(ctx: Context, next: Next) {
    if (!paths.has(ctx.path) || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next()
    if (made !== version()) {
      served.clear()
      made = version()
    }
    let document = served.get(ctx.path)
    if (!document) {
      await next()
      if (ctx.status !== 200) return
      const content = JSON.parse(JSON.stringify(ctx.body)) as Record<string, unknown>
      complete(ctx.path, content)
      const body = JSON.stringify(content)
      document = { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }
      served.set(ctx.path, document)
    }
    answer(ctx, document)
  }
}
