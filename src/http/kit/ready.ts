import type { RequestListener } from 'node:http'
import { strictTransportSecurity } from './headers.ts'
import { type createRequestLines, giveId } from './request.ts'

/** A reply that stands ready, with its headers as Node wants them: name, value, name, value. */
interface Ready {
  readonly body: string
  readonly headers: readonly string[]
}

export interface ReadyDeps {
  readonly issuer: string
  /** What is asked for by exactly this address, if it stands ready. */
  readonly find: (url: string) => Ready | undefined
  readonly writeLine: ReturnType<typeof createRequestLines>
}

/**
 * Answers what stands ready before Koa sees the request: every relying party asks for discovery and keys, and they are the same for all. Only
 * the plainest request is answered here; any other, with a condition or through a proxy that names another host, goes to `otherwise`.
 */
export function readyFirst({ issuer, find, writeLine }: ReadyDeps, otherwise: RequestListener): RequestListener {
  const { host, protocol } = new URL(issuer)
  return (request, response) => {
    const { method, url: path = '', headers } = request
    const plain = method === 'GET' && headers.host === host && !headers['if-none-match'] && !headers['x-forwarded-host']
    const ready = plain ? find(path) : undefined
    if (!ready) return otherwise(request, response)
    const startedAt = performance.now()
    const requestId = giveId(response)
    for (let index = 0; index < ready.headers.length; index += 2) {
      response.setHeader(ready.headers[index] as string, ready.headers[index + 1] as string)
    }
    if (protocol === 'https:') response.setHeader(...strictTransportSecurity)
    response.end(ready.body)
    writeLine({ requestId, method: 'GET', path, status: 200, startedAt })
  }
}
