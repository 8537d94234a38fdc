import type { Context, Middleware } from 'koa'
import { DomainError } from '#src/base/errors.ts'

export class BodyTooLarge extends DomainError {
  readonly code = 'request_too_large'
  constructor(limit: number) {
    super(`the body of the request may have at most ${limit} bytes`)
  }
}

export class BodyUnsupported extends DomainError {
  readonly code = 'unsupported_media_type'
  constructor(expected: string) {
    super(`the body of the request must be ${expected}`)
  }
}

export const bodyLimitBytes = 100 * 1024

/** The body of a request, refused before it is read when it says that it is too long, and while it is read otherwise. @throws BodyTooLarge */
export function readBody(ctx: Context, limit: number): Promise<Buffer> {
  if ((ctx.request.length ?? 0) > limit) return Promise.reject(new BodyTooLarge(limit))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    // Listeners, not `for await`: an iterator costs more than the parsing of what it reads.
    ctx.req.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > limit) {
        ctx.req.pause()
        reject(new BodyTooLarge(limit))
      } else chunks.push(chunk)
    })
    ctx.req.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)))
    ctx.req.on('error', reject)
  })
}

/** The fields of a form; of a field that is there twice, the first. @throws BodyTooLarge, BodyUnsupported */
export async function readForm(ctx: Context): Promise<ReadonlyMap<string, string>> {
  if (!ctx.is('application/x-www-form-urlencoded')) throw new BodyUnsupported('application/x-www-form-urlencoded')
  const body = await readBody(ctx, bodyLimitBytes)
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) if (!fields.has(name)) fields.set(name, value)
  return fields
}

/** The longest form that the engine reads, in bytes. */
export const engineFormBytes = 56 * 1024

/**
 * Refuses a body that the engine would not read, with the status that says why: the engine itself answers 400 to all of them.
 * @throws BodyTooLarge, BodyUnsupported
 */
export function engineBodies({ forms, json }: { forms: readonly string[]; json: string }): Middleware {
  return (ctx, next) => {
    if (ctx.method !== 'POST' && ctx.method !== 'PUT') return next()
    const type = ctx.path.startsWith(json) ? 'application/json' : 'application/x-www-form-urlencoded'
    if (type !== 'application/json' && !forms.some((prefix) => ctx.path.startsWith(prefix))) return next()
    if (ctx.request.type !== '' && !ctx.is(type)) throw new BodyUnsupported(type)
    if ((ctx.request.length ?? 0) > engineFormBytes) throw new BodyTooLarge(engineFormBytes)
    return next()
  }
}
