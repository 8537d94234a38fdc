/**
 * Keys of machine users: the public half of a key pair, by which a JWT proves who asks for a token (RFC 7523, section 2.1). The private half is in the
 * file that ZITADEL calls a service account's key, and nowhere else.
 */
import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { UserInvalid } from './user.ts'

/** Moments are ISO 8601. */
export interface MachineKey {
  readonly id: string
  readonly publicJwk: Readonly<Record<string, unknown>>
  readonly createdAt: string
  readonly expiresAt?: string
}

/** The public half as JWK of what somebody sends us as PEM or JWK. @throws UserInvalid */
export function publicJwkOf(key: string): Readonly<Record<string, unknown>> {
  try {
    const isJwk = key.trimStart().startsWith('{')
    const jwk = createPublicKey(isJwk ? { key: JSON.parse(key), format: 'jwk' } : key).export({ format: 'jwk' })
    if (jwk.kty !== 'RSA' || Buffer.from(jwk.n ?? '', 'base64url').length < 256) throw new TypeError('too short')
    return { ...jwk }
  } catch {
    throw new UserInvalid('publicKey', 'must be an RSA public key of 2048 bits or more, as PEM')
  }
}

/** The key file, as ZITADEL's libraries read it. */
export interface KeyFile {
  readonly type: 'serviceaccount'
  readonly keyId: string
  /** PEM, PKCS #1. */
  readonly key: string
  readonly userId: string
  readonly expirationDate?: string
}

export const machineKeyLimit = 50

export const isCurrent = ({ expiresAt }: MachineKey, now: Date) => expiresAt === undefined || new Date(expiresAt) > now

/** A new RSA key pair: its public half for the store, its private half as PEM. */
export async function newMachineKeyPair(): Promise<{ readonly publicJwk: Readonly<Record<string, unknown>>; readonly privatePem: string }> {
  const { publicKey, privateKey } = (await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })) as unknown as {
    publicKey: KeyObject
    privateKey: KeyObject
  }
  return {
    publicJwk: { ...publicKey.export({ format: 'jwk' }) },
    privatePem: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  }
}
