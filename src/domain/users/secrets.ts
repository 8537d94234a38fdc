import { hash, timingSafeEqual } from 'node:crypto'

/** SHA-256, base64url: enough for secrets of 256 random bits, which cannot be guessed from their hash. */
export const hashSecret = (secret: string) => hash('sha256', secret, 'base64url')

/** Whether `secret` is the one that the hash `expected` was made from, in a time that does not depend on where they differ. */
export function secretMatches(secret: string, expected: string): boolean {
  const [a, b] = [Buffer.from(hashSecret(secret)), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
