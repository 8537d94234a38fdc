import { createHash, randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import { comparable } from '#src/domain/users/user.ts'
import { createProofs } from './proof.ts'

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
  const proofs = createProofs(secrets)
  const statement = (nonce: string, name: string) => `${nonce}\n${comparable(name)}`

  return {
    /** What names this browser for `name`, when it has signed in under that name before. */
    find(ctx: Context, name: string): string | undefined {
      const [nonce = '', proof = ''] = ctx.cookies.get(cookieOf(name))?.split('.') ?? []
      return proofs.holds(statement(nonce, name), proof) ? nonce : undefined
    },

    /** Marks this browser after a sign-in under `name`. */
    remember(ctx: Context, name: string): void {
      const nonce = randomBytes(16).toString('base64url')
      ctx.cookies.set(cookieOf(name), `${nonce}.${proofs.of(statement(nonce, name))}`, {
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
