import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import { comparable } from '#src/domain/users/user.ts'

const oneYear = 365 * 86_400_000

/**
 * Remembers that a browser has signed in to an account, so that its owner is counted apart from strangers who guess (see
 * domain/users/throttle.ts). It proves nothing else.
 */
export function createKnownDevices({ secrets, secure }: { secrets: readonly Buffer[]; secure: boolean }) {
  const cookieOf = (name: string) => {
    const digest = createHash('sha256').update(comparable(name)).digest('base64url').slice(0, 10)
    return `${secure ? '__Host-' : ''}dossier-device-${digest}`
  }
  const mac = (secret: Buffer, nonce: string, name: string) =>
    createHmac('sha256', secret)
      .update(`${nonce}\n${comparable(name)}`)
      .digest()
  const [first] = secrets
  if (!first) throw new TypeError('at least one secret is needed')

  return {
    /** What names this browser for `name`, when it has signed in under that name before. */
    find(ctx: Context, name: string): string | undefined {
      const [nonce = '', proof = ''] = ctx.cookies.get(cookieOf(name))?.split('.') ?? []
      const given = Buffer.from(proof, 'base64url')
      const known = secrets.some((secret) => {
        const expected = mac(secret, nonce, name)
        return expected.length === given.length && timingSafeEqual(expected, given)
      })
      return known ? nonce : undefined
    },

    /** Marks this browser after a sign-in under `name`. */
    remember(ctx: Context, name: string): void {
      const nonce = randomBytes(16).toString('base64url')
      ctx.cookies.set(cookieOf(name), `${nonce}.${mac(first, nonce, name).toString('base64url')}`, {
        httpOnly: true,
        sameSite: 'lax',
        secure,
        path: '/',
        maxAge: oneYear,
        overwrite: true,
      })
    },
  }
}

export type KnownDevices = ReturnType<typeof createKnownDevices>
