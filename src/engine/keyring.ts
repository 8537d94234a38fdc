import { compactVerify, createLocalJWKSet, type JWTPayload } from 'jose'
import type { Clock } from '#src/base/clock.ts'
import type { SigningAlgorithm } from '#src/domain/applications/application.ts'
import type { Keys, PrivateJwk } from '#src/domain/keys/keys.ts'
import type { StoredKey } from '#src/domain/keys/store.ts'
import { createSigner, type Sign } from './signer.ts'

export interface Keyring {
  /** Whether the keys are those of this revision of the catalogue, and none of them has changed its phase since. */
  isCurrent(revision: number): boolean
  /** Reads the keys again; answers all that are published, of each algorithm the one that signs first, unless they are the same as before. */
  refresh(revision: number): Promise<readonly PrivateJwk[] | undefined>
  /** A compact JWS over `payload`, which is JSON. @throws TypeError when there is no key for `algorithm` */
  sign(algorithm: SigningAlgorithm, payload: string, typ?: string): string | Promise<string>
  /** The payload of a JWT that one of our published keys signed, whatever its `exp`, and of `issuer` where one is given; otherwise `undefined`. */
  verify(jwt: string, issuer: string | undefined, typ: string): Promise<JWTPayload | undefined>
  algorithms(): readonly SigningAlgorithm[]
}

interface OpenKey {
  readonly jwk: PrivateJwk
  readonly sign: Sign
}

/**
 * The published keys. They are listed again when the catalogue's revision moves or a key changes its phase, and each is opened once: its kid is
 * its thumbprint, so that another key has another one.
 */
export function createKeyring({ keys, now }: { keys: Keys; now: Clock }): Keyring {
  let revision = Number.NaN
  let staleAt = 0
  let opened: ReadonlyMap<string, OpenKey> = new Map()
  let signers = new Map<SigningAlgorithm, Sign>()
  let verifier: ReturnType<typeof createLocalJWKSet> = createLocalJWKSet({ keys: [] })

  function open(key: StoredKey): OpenKey {
    const jwk = keys.open(key)
    return { jwk, sign: createSigner(jwk) }
  }

  /** A server that runs goes on with the keys that it can open; one that starts must open all. @throws CannotUnseal */
  function openUnless(key: StoredKey, isRunning: boolean): OpenKey | undefined {
    try {
      return open(key)
    } catch (error) {
      if (!isRunning) throw error
      return undefined
    }
  }

  /** Takes `published` for the keys there are from now on; whether others were so before, or in another order. */
  function replaceBy(published: readonly StoredKey[]): boolean {
    const before = opened
    opened = new Map(
      published.flatMap((key) => {
        const known = before.get(key.kid) ?? openUnless(key, before.size > 0)
        return known ? [[key.kid, known]] : []
      }),
    )
    signers = new Map()
    for (const { kid, algorithm, activeFrom } of published) {
      const key = opened.get(kid)
      if (key && !signers.has(algorithm) && activeFrom <= now()) signers.set(algorithm, key.sign)
    }
    staleAt = nextTurn(published, now().getTime())
    return [...before.keys()].join() !== [...opened.keys()].join()
  }

  const isCurrent = (latest: number) => latest === revision && now().getTime() < staleAt

  return {
    isCurrent,

    async refresh(latest) {
      const changed = replaceBy(await keys.published())
      revision = latest
      if (!changed) return undefined
      const jwks = [...opened.values()].map(({ jwk }) => jwk)
      verifier = createLocalJWKSet({ keys: jwks.map(publicJwk) })
      return jwks
    },

    sign(algorithm, payload, typ) {
      const sign = signers.get(algorithm)
      if (!sign) throw new TypeError(`there is no ${algorithm} key to sign with`)
      return sign(payload, typ)
    },

    async verify(jwt, issuer, typ) {
      try {
        const { payload, protectedHeader } = await compactVerify(jwt, verifier, { algorithms: [...signers.keys()] })
        const claims = JSON.parse(new TextDecoder().decode(payload)) as JWTPayload
        return protectedHeader.typ === typ && (issuer === undefined || claims.iss === issuer) ? claims : undefined
      } catch {
        return undefined
      }
    },

    algorithms: () => [...signers.keys()],
  }
}

/** The next moment at which a key starts to sign or stops being published. */
function nextTurn(keys: readonly StoredKey[], now: number): number {
  const turns = keys.flatMap((key) => [key.activeFrom.getTime(), key.publishedUntil?.getTime() ?? Number.POSITIVE_INFINITY])
  return Math.min(Number.POSITIVE_INFINITY, ...turns.filter((turn) => turn > now))
}

function publicJwk(jwk: Readonly<Record<string, unknown>>) {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...rest } = jwk
  return rest as { kty: string }
}
