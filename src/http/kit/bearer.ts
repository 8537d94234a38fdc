import type { IncomingHttpHeaders } from 'node:http'
import type { TokenRequest } from '#src/domain/sessions/bearer.ts'

/** The token of the `Authorization` header with what its sender may have to prove; `undefined` for a header of another form. */
export function presentedToken({
  method,
  path,
  headers,
}: {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}): { token: string; request: TokenRequest } | undefined {
  const [, scheme = '', token] = /^(bearer|dpop) +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  return token === undefined
    ? undefined
    : { token, request: { scheme: scheme.toLowerCase() as TokenRequest['scheme'], method, path, headers } }
}
