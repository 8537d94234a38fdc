import { createHmac, timingSafeEqual } from 'node:crypto'

/** Makes and judges proofs (HMAC-SHA-256, base64url) that we have said something before: the first secret makes them, all judge, in equal time. */
export function createProofs(secrets: readonly Buffer[]) {
  const mac = (secret: Buffer, text: string) => createHmac('sha256', secret).update(text).digest()
  const [first] = secrets
  if (!first) throw new TypeError('at least one secret is needed')
  return {
    of: (text: string) => mac(first, text).toString('base64url'),
    holds(text: string, proof: string): boolean {
      const given = Buffer.from(proof, 'base64url')
      return secrets.some((secret) => {
        const expected = mac(secret, text)
        return expected.length === given.length && timingSafeEqual(expected, given)
      })
    },
  }
}
