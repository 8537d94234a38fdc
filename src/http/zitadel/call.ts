import type { IncomingHttpHeaders } from 'node:http'

/** What of an HTTP request says who calls, whichever transport it came by. A Koa context is one. */
export interface Call {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
}
