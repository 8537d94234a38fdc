import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { DomainError } from '#src/base/errors.ts'

/** The store holds something that none of the given secrets opens. */
class CannotUnseal extends DomainError {
  readonly code = 'keys.cannot_unseal'
  constructor(options?: ErrorOptions) {
    super('DOSSIER_SECRET is not the one that sealed what is stored; give the former one, or list it after the new one', options)
  }
}

/** Seals text at rest, and makes keys for other purposes, from the operator's secrets: the first seals, all open. */
export type Sealer = ReturnType<typeof createSealer>

export function createSealer(secrets: readonly string[]) {
  const derive = (secret: string, purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'dossier', purpose, 32))
  const keys = secrets.map((secret) => derive(secret, 'seal'))
  const [first] = keys
  if (!first) throw new TypeError('at least one secret is needed')

  function openWith(key: Buffer, sealed: string, context: string): string | undefined {
    const bytes = Buffer.from(sealed.slice('v1.'.length), 'base64url')
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(context))
      decipher.setAuthTag(bytes.subarray(12, 28))
      return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      return undefined
    }
  }

  return {
    /** AES-256-GCM: version, nonce, tag and text, base64url. `context` must be the same when it is opened. */
    seal(text: string, context: string): string {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', first, nonce).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
    },

    /** @throws CannotUnseal */
    open(sealed: string, context: string): string {
      for (const key of keys) {
        const text = openWith(key, sealed, context)
        if (text !== undefined) return text
      }
      throw new CannotUnseal()
    },

    /** Whether `sealed` holds `text`, sealed by the first secret: otherwise it should be sealed again. */
    holds: (sealed: string, context: string, text: string) => openWith(first, sealed, context) === text,

    /** A key of 32 bytes for another purpose from each secret, the first one first. */
    derive: (purpose: string): readonly Buffer[] => secrets.map((secret) => derive(secret, purpose)),
  }
}
