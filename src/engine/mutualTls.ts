/**
 * Client certificates (RFC 8705) as a proxy in front tells them, which ends TLS. Only a deployment that trusts a proxy (`DOSSIER_TRUST_PROXY`) has
 * this: the proxy must set or delete these headers in every request, because anybody can send them.
 */
import { hash, X509Certificate } from 'node:crypto'
import type { Context } from 'koa'
import type { TokenRequest } from '#src/domain/sessions/bearer.ts'
import { errors } from './internals.ts'

type Headers = TokenRequest['headers']

const read = new WeakMap<Headers, X509Certificate | undefined>()

/** The certificate in `Client-Cert` (RFC 9440) or, percent-encoded PEM, in `X-SSL-Client-Cert` (nginx's `$ssl_client_escaped_cert`). */
function certificateIn(headers: Headers): X509Certificate | undefined {
  if (!read.has(headers)) read.set(headers, parse(String(headers['client-cert'] ?? ''), String(headers['x-ssl-client-cert'] ?? '')))
  return read.get(headers)
}

const certificateOf = (ctx: Context) => certificateIn(ctx.req.headers)

/** `x5t#S256` of the certificate that the proxy tells (RFC 8705, section 3.1); `undefined` where there is none, or none that can be read. */
export function thumbprintIn(headers: Headers): string | undefined {
  try {
    const certificate = certificateIn(headers)
    return certificate && hash('sha256', certificate.raw, 'base64url')
  } catch {
    return undefined
  }
}

function parse(structured: string, escaped: string): X509Certificate | undefined {
  if (structured === '' && escaped === '') return undefined
  try {
    const [, der] = /^:([A-Za-z0-9+/=]+):$/.exec(structured) ?? []
    return new X509Certificate(der === undefined ? decodeURIComponent(escaped) : Buffer.from(der, 'base64'))
  } catch (cause) {
    throw new errors.InvalidRequest('the client certificate in the header of the proxy cannot be read', 400, { cause } as never)
  }
}

/** Whether the certificate names its holder so. A name in the certificate counts, never a wildcard. */
function matches(certificate: X509Certificate, property: string, expected: string): boolean {
  if (property === 'tls_client_auth_subject_dn') return sorted(certificate.subject.split('\n')) === sorted(expected.split(/(?<!\\),\s*/))
  const names = certificate.subjectAltName ?? ''
  // Node puts a name into quotes that has a separator in it, so that it looks like several.
  if (names.includes('"')) return false
  const kinds = { dns: 'DNS', ip: 'IP Address', uri: 'URI', email: 'email' } as const
  const kind = kinds[property.replace('tls_client_auth_san_', '') as keyof typeof kinds]
  return names.split(', ').includes(`${kind}:${expected}`)
}

/** The parts of a distinguished name, which OpenSSL lists from the country on, and RFC 4514 towards it. */
const sorted = (parts: readonly string[]) =>
  parts
    .map((part) => part.trim())
    .sort()
    .join('\n')

/** The engine's feature, told how to see certificates. */
export const mutualTls = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: (ctx: Context) => certificateOf(ctx)?.toString(),
  /** Whether the proxy has verified the chain: nginx's `$ssl_client_verify`. */
  certificateAuthorized: (ctx: Context) => certificateOf(ctx) !== undefined && ctx.get('X-SSL-Client-Verify') === 'SUCCESS',
  certificateSubjectMatches(ctx: Context, property: string, expected: string) {
    const certificate = certificateOf(ctx)
    return certificate !== undefined && matches(certificate, property, expected)
  },
}
