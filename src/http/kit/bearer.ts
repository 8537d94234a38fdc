import type { Context } from 'koa'
import type { TokenRequest } from '#src/domain/sessions/bearer.ts'

/** The token of the `Authorization` header with what its sender may have to prove; `undefined` for a header of another form. */
export function presentedToken({ method, path, req: { headers } }: Context): { token: string; request: TokenRequest } | undefined {
  const [, scheme = '', token] = /^(bearer|dpop) +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  return token === undefined
    ? undefined
    : { token, request: { scheme: scheme.toLowerCase() as TokenRequest['scheme'], method, path, headers } }
}
