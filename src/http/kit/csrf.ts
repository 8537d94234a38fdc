import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import { createProofs } from './proof.ts'

/**
 * Protects our own forms: a random value in a cookie that scripts and other sites cannot read, and in the form its HMAC for one purpose. A
 * form made by somebody else lacks the cookie's counterpart, whatever site it stands on; `Sec-Fetch-*` is not consulted, because not every
 * browser sends it.
 */
export function createCsrf({ secrets, secure }: { secrets: readonly Buffer[]; secure: boolean }) {
  const name = `${secure ? '__Host-' : ''}dossier-csrf`
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true, signed: false } as const
  const proofs = createProofs(secrets)
  const statement = (nonce: string, purpose: string) => `${nonce}\n${purpose}`
  const nonceOf = (ctx: Context) => {
    const nonce = ctx.cookies.get(name, options)
    return nonce && /^[A-Za-z0-9_-]{22}$/.test(nonce) ? nonce : undefined
  }

  return {
    /** The value for the form's hidden field `csrf`; sets the cookie where there is none. */
    token(ctx: Context, purpose: string): string {
      let nonce = nonceOf(ctx)
      if (!nonce) {
        nonce = randomBytes(16).toString('base64url')
        ctx.cookies.set(name, nonce, options)
      }
      return proofs.of(statement(nonce, purpose))
    },

    /** What only this browser has, if it has been given a form. */
    browserOf: nonceOf,

    /** Whether `token` was made for this browser and `purpose`. */
    accepts(ctx: Context, purpose: string, token: string | undefined): boolean {
      const nonce = nonceOf(ctx)
      return nonce !== undefined && token !== undefined && proofs.holds(statement(nonce, purpose), token)
    },
  }
}

export type Csrf = ReturnType<typeof createCsrf>
