import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'

/**
 * Protects our own forms: a random value in a cookie that scripts and other sites cannot read, and in the form its HMAC for one purpose. A
 * form made by somebody else lacks the cookie's counterpart, whatever site it stands on; `Sec-Fetch-*` is not consulted, because not every
 * browser sends it.
 */
export function createCsrf({ secrets, secure }: { secrets: readonly Buffer[]; secure: boolean }) {
  const name = `${secure ? '__Host-' : ''}dossier-csrf`
  const mac = (secret: Buffer, nonce: string, purpose: string) => createHmac('sha256', secret).update(`${nonce}\n${purpose}`).digest()
  const nonceOf = (ctx: Context) => {
    const nonce = ctx.cookies.get(name)
    return nonce && /^[A-Za-z0-9_-]{22}$/.test(nonce) ? nonce : undefined
  }
  const [first] = secrets
  if (!first) throw new TypeError('at least one secret is needed')

  return {
    /** The value for the form's hidden field `csrf`; sets the cookie where there is none. */
    token(ctx: Context, purpose: string): string {
      let nonce = nonceOf(ctx)
      if (!nonce) {
        nonce = randomBytes(16).toString('base64url')
        ctx.cookies.set(name, nonce, { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true })
      }
      return mac(first, nonce, purpose).toString('base64url')
    },

    /** Whether `token` was made for this browser and `purpose`. */
    accepts(ctx: Context, purpose: string, token: string | undefined): boolean {
      const nonce = nonceOf(ctx)
      if (!nonce || token === undefined) return false
      const given = Buffer.from(token, 'base64url')
      return secrets.some((secret) => {
        const expected = mac(secret, nonce, purpose)
        return expected.length === given.length && timingSafeEqual(expected, given)
      })
    },
  }
}

export type Csrf = ReturnType<typeof createCsrf>
