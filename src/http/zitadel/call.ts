import type { IncomingHttpHeaders } from 'node:http'

/** What of an HTTP request says who calls, whichever transport it came by. A Koa context is one. */
export interface Call {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The address that it came from. */
  readonly ip: string
}

/** The name by which an RPC is called: `zitadel.auth.v1.AuthService/GetMyMetadata`. */
export const nameOf = (rpc: { readonly parent: { readonly typeName: string }; readonly name: string }) =>
  `${rpc.parent.typeName}/${rpc.name}`
