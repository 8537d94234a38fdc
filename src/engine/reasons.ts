import type { EventEmitter } from 'node:events'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'

/** What the engine keeps to itself, by the parameter that it is about. */
const parameters: readonly (readonly [RegExp, string])[] = [
  [/^authorization code redirect_uri/, 'redirect_uri'],
  [/^(AuthorizationCode|authorization code)\b/, 'code'],
  [/^(RefreshToken|refresh token)\b/, 'refresh_token'],
  [/^(DeviceCode|device code)\b/, 'device_code'],
  [/^(access token|grant|token audience|associated)\b/, 'access token'],
  [/certificate|x5t#S256/, 'client certificate'],
  [/DPoP|jkt/, 'DPoP'],
  [/client_assertion|JWT (issuer|ID|subject|audience)|audience \(aud\)|alg mismatch/, 'client_assertion'],
]

/** Who asks is told no more than that: whether there is such an application is nobody else's business. */
const oneAnswer = /^(client not found|invalid secret provided)$/
const noClient = 'client_id, client_secret: there is no such application, or the secret is not its own'

/** The reason of a refusal as a sentence that names the parameter, made of the engine's private detail. */
export function reasonOf(detail: string): string {
  if (oneAnswer.test(detail)) return noClient
  const [, parameter] = parameters.find(([form]) => form.test(detail)) ?? []
  return parameter === undefined || detail.startsWith(`${parameter}:`) ? detail : `${parameter}: ${detail}`
}

/** A description in the characters that RFC 6749, section 5.2, has for it, and of a length that nobody has to scroll through. */
export const plain = (description: string) =>
  description
    .slice(0, 300)
    .replaceAll('"', "'")
    .replace(/[^\x20-\x5b\x5d-\x7e]/g, '?')

const failures = ['grant', 'introspection', 'revocation', 'userinfo', 'pushed_authorization_request', 'device_authorization'] as const

/** Makes refusals say why: the engine answers many of them with one and the same sentence. */
export function installReasons(provider: Provider & EventEmitter): void {
  for (const name of failures) {
    provider.on(`${name}.error`, (ctx: KoaContextWithOIDC, { error_detail: detail }: { readonly error_detail?: unknown }) => {
      const body = ctx.body as { error_description?: string } | undefined
      if (typeof body !== 'object' || body.error_description === undefined) return
      body.error_description = plain(typeof detail === 'string' ? reasonOf(detail) : body.error_description)
    })
  }
}
