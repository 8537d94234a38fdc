import type { Context } from 'koa'

/**
 * Answers with bytes of somebody's. Whatever they are, a browser runs nothing in them and guesses no type; `inline` is for images alone, and all else is saved as a file.
 */
export function answerBytes(
  ctx: Context,
  { bytes, type = 'application/octet-stream', name }: { readonly bytes: Uint8Array; readonly type?: string; readonly name?: string },
): void {
  ctx.status = 200
  ctx.set('Cache-Control', 'no-store')
  ctx.set('Content-Security-Policy', "default-src 'none'; sandbox; frame-ancestors 'none'")
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin')
  ctx.set(
    'Content-Disposition',
    name === undefined ? 'inline' : `attachment; filename="${plainName(name)}"; filename*=UTF-8''${extendedName(name)}`,
  )
  ctx.set('Content-Type', type)
  ctx.body = Buffer.from(bytes)
}

/** What every system takes for the name of a file. */
const plainName = (name: string) => name.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 100) || 'file'

/** RFC 8187. */
const extendedName = (name: string) =>
  encodeURIComponent(name.toWellFormed().slice(0, 200)).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
