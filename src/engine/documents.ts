import { hash } from 'node:crypto'
import type { Context } from 'koa'
import { publishAheadSeconds } from '#src/domain/keys/keys.ts'

type Next = () => Promise<unknown>

const paths = new Set(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/oauth/v2/keys'])

const cacheControl = `public, max-age=${publishAheadSeconds / 2}`

interface Served {
  readonly body: string
  readonly etag: string
  /** Name, value, name, value. */
  readonly headers: readonly string[]
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

  function answer(ctx: Context, { body, etag, headers }: Served) {
    for (let index = 0; index < headers.length; index += 2) ctx.res.setHeader(headers[index] as string, headers[index + 1] as string)
    // The comparison is the weak one (RFC 9110, section 13.1.2): a proxy that compresses makes tags weak.
    const known = ctx.req.headers['if-none-match']?.split(/\s*,\s*/).map((each) => each.replace(/^W\//, ''))
    if (known?.includes(etag)) {
      ctx.status = 304
      return
    }
    ctx.status = 200
    ctx.body = body
  }

  /** The document of a path, if it stands ready. */
  const find = (path: string) => (made === version() ? served.get(path) : undefined)

  function documents(ctx: Context, next: Next): Promise<unknown> {
    return paths.has(ctx.path) && (ctx.method === 'GET' || ctx.method === 'HEAD') ? serve(ctx, next) : next()
  }

  async function serve(ctx: Context, next: Next): Promise<void> {
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
      document = servedOf(body)
      served.set(ctx.path, document)
    }
    answer(ctx, document)
  }

  return { documents, find }
}

function servedOf(body: string): Served {
  const etag = `"${hash('sha256', body, 'base64url')}"`
  const headers = [
    ['Access-Control-Allow-Origin', '*'],
    ['Cache-Control', cacheControl],
    ['ETag', etag],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Type', 'application/json; charset=utf-8'],
  ].flat()
  return { body, etag, headers }
}
