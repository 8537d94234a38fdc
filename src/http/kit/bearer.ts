import type { IncomingHttpHeaders } from 'node:http'
import type { ProofNotAccepted, TokenRequest } from '#src/domain/sessions/bearer.ts'

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

/** What a 401 says of a DPoP proof that was not accepted (RFC 9449, section 7.1). */
export const proofChallenge = ({ message }: ProofNotAccepted) => `DPoP error="invalid_dpop_proof", error_description="${message}"`
