/** `custom-token`: people come with a JWT that somebody else's system made (contracts/app-services.md, section 3.4). */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet } from 'jose'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { AppView } from '#src/domain/apps/app.ts'
import { authError, missingParameter } from '#src/domain/apps/failures.ts'
import type { VouchFor } from '#src/domain/apps/logins.ts'
import { mapMetadata } from '#src/domain/federation/providerMetadata.ts'

export interface CustomJwtDeps {
  readonly secretOf: (view: AppView, name: string) => string | undefined
  /** Calls out, to nothing private. */
  readonly fetch: (url: string, options: RequestInit & { readonly timeoutMs?: number }) => Promise<Response>
  readonly now: Clock
}

const type = 'custom-token'
const mostCharacters = 1_000_000
const mostKeysBytes = 256 * 1024
const keptMs = 5 * 60_000
/** A key that is not known makes us ask again, but not more often than this. */
const askAgainMs = 30_000

type Claims = Readonly<Record<string, unknown>>

export function createVouchForJwt({ secretOf, fetch, now }: CustomJwtDeps): VouchFor {
  const keySets = new Map<string, { readonly at: number; readonly keys: Promise<JSONWebKeySet> }>()

  /** The keys at an address, kept for a while. */
  function keysAt(url: string, isFresh: (age: number) => boolean): Promise<JSONWebKeySet> {
    const known = keySets.get(url)
    if (known && isFresh(now().getTime() - known.at)) return known.keys
    const keys = readKeys(url)
    keySets.set(url, { at: now().getTime(), keys })
    keys.catch(() => keySets.delete(url))
    return keys
  }

  async function readKeys(url: string): Promise<JSONWebKeySet> {
    try {
      const reply = await fetch(url, { redirect: 'error', timeoutMs: 5000, headers: { accept: 'application/json' } })
      const text = await reply.text()
      const json = text.length <= mostKeysBytes ? (JSON.parse(text) as Partial<JSONWebKeySet>) : {}
      if (reply.status !== 200 || !Array.isArray(json.keys)) throw new Error('it is no key set')
      return { keys: json.keys }
    } catch (error) {
      throw authError(`the keys of the custom JWT provider could not be read: ${(error as Error).message}`)
    }
  }

  async function verifiedBySet(token: string, url: string): Promise<Claims> {
    if (!decodeProtectedHeader(token).kid) throw authError('the JWT must have a kid in its header')
    const verify = async (keys: JSONWebKeySet) =>
      claimsOf((await compactVerify(token, createLocalJWKSet(keys), { algorithms: ['RS256'] })).payload)
    try {
      return await verify(await keysAt(url, (age) => age < keptMs))
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_JWKS_NO_MATCHING_KEY') throw error
      return verify(await keysAt(url, (age) => age < askAgainMs))
    }
  }

  async function verifiedByKeys(token: string, algorithm: 'HS256' | 'RS256', secrets: readonly string[]): Promise<Claims> {
    for (const secret of secrets) {
      const payload = await compactVerify(token, keyOf(algorithm, secret), { algorithms: [algorithm] }).then(
        (verified) => verified.payload,
        () => undefined,
      )
      if (payload) return claimsOf(payload)
    }
    throw authError('the signature of the JWT is invalid')
  }

  return async function vouchForJwt(view, { token }) {
    if (typeof token !== 'string' || token === '') throw missingParameter('token')
    if (token.length > mostCharacters) throw authError(`the JWT is longer than ${mostCharacters} characters`)
    const provider = view.configuration.providers.get(type)
    const { useJWKURI, jwkURI, signingAlgorithm = 'HS256', audience = [], requireAnyAudience = false } = provider?.config ?? {}
    const names = provider?.secret_config?.signingKeys ?? []
    const claims = await (useJWKURI && jwkURI
      ? verifiedBySet(token, jwkURI)
      : verifiedByKeys(
          token,
          signingAlgorithm,
          names.flatMap((name) => secretOf(view, name) ?? []),
        )
    ).catch((error: Error) => {
      throw error.name.startsWith('App') ? error : authError(`the JWT is not valid: ${error.message}`)
    })
    assertCurrent(claims, now())
    assertAudience(claims.aud, audience.length > 0 ? audience : [view.app.clientAppId], requireAnyAudience)
    const { sub } = claims
    if (typeof sub !== 'string' || sub === '' || sub.length > 1000) throw authError('the JWT must have a sub of 1 to 1000 characters')
    const { data, missing, tooLong } = mapMetadata(claims, provider?.metadata_fields ?? [])
    if (missing[0] !== undefined) throw authError(`expected field '${missing[0]}' to be in token metadata`)
    if (tooLong[0] !== undefined) throw authError(`field '${tooLong[0]}' is longer than 4096 characters`)
    const { name } = data
    return {
      provider: type,
      key: sub,
      data,
      ...(typeof name === 'string' && name !== '' && { profile: { displayName: name.slice(0, 1000) } }),
    }
  }
}

function keyOf(algorithm: 'HS256' | 'RS256', secret: string): KeyObject {
  try {
    return algorithm === 'HS256' ? createSecretKey(Buffer.from(secret)) : createPublicKey(secret)
  } catch {
    throw authError('a signing key of the custom JWT provider is no key')
  }
}

function claimsOf(payload: Uint8Array): Claims {
  const claims: unknown = JSON.parse(new TextDecoder().decode(payload))
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) throw authError('the JWT has no claims')
  return claims as Claims
}

/** `iat` and `nbf` are both times before which it is not good. A clock may be a minute off. */
function assertCurrent({ exp, iat, nbf }: Claims, at: Date): void {
  const now = epochSeconds(at)
  if (typeof exp !== 'number') throw authError('the JWT must have an exp')
  if (exp <= now) throw authError('the JWT has expired')
  for (const early of [iat, nbf]) if (typeof early === 'number' && early > now + 60) throw authError('the JWT is not good yet')
}

function assertAudience(given: unknown, wanted: readonly string[], any: boolean): void {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  const isFor = any ? wanted.some((each) => list.includes(each)) : wanted.every((each) => list.includes(each))
  if (!isFor) throw authError('the JWT is for another audience')
}
