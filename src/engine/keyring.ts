import { compactVerify, createLocalJWKSet, type JWTPayload } from 'jose'
import type { Clock } from '#src/base/clock.ts'
import type { SigningAlgorithm } from '#src/domain/applications/application.ts'
import type { Keys, SigningKey } from '#src/domain/keys/keys.ts'
import { createSigner, type Sign } from './signer.ts'

export interface Keyring {
  /** Whether the keys are those of this revision of the catalogue, and none of them has changed its phase since. */
  isCurrent(revision: number): boolean
  /** Reads the keys again when they are not current; answers them when it did. */
  refresh(revision: number): Promise<readonly SigningKey[] | undefined>
  /** A compact JWS over `payload`, which is JSON. @throws TypeError when there is no key for `algorithm` */
  sign(algorithm: SigningAlgorithm, payload: string, typ?: string): string | Promise<string>
  /** The payload of a JWT that one of our published keys signed, whatever its `exp`; otherwise `undefined`. */
  verify(jwt: string, issuer: string, typ: string): Promise<JWTPayload | undefined>
  algorithms(): readonly SigningAlgorithm[]
}

/** The signing keys, opened and imported once, kept until the catalogue's revision moves or a key changes its phase. */
export function createKeyring({ keys, now }: { keys: Keys; now: Clock }): Keyring {
  let revision = Number.NaN
  let staleAt = 0
  let current: readonly SigningKey[] = []
  let signers = new Map<SigningAlgorithm, Sign>()
  let verifier: ReturnType<typeof createLocalJWKSet> = createLocalJWKSet({ keys: [] })

  async function load() {
    const published = await keys.published()
    signers = new Map()
    for (const { algorithm, activeFrom, jwk } of published) {
      if (!signers.has(algorithm) && activeFrom <= now()) signers.set(algorithm, createSigner(jwk))
    }
    verifier = createLocalJWKSet({ keys: published.map(({ jwk }) => publicJwk(jwk)) })
    staleAt = nextTurn(published, now().getTime())
    current = published
  }

  const isCurrent = (latest: number) => latest === revision && now().getTime() < staleAt

  return {
    isCurrent,

    async refresh(latest) {
      if (isCurrent(latest)) return undefined
      await load()
      revision = latest
      return current
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
        return protectedHeader.typ === typ && claims.iss === issuer ? claims : undefined
      } catch {
        return undefined
      }
    },

    algorithms: () => [...signers.keys()],
  }
}

/** The next moment at which a key starts to sign or stops being published. */
function nextTurn(keys: readonly SigningKey[], now: number): number {
  const turns = keys.flatMap((key) => [key.activeFrom.getTime(), key.publishedUntil?.getTime() ?? Number.POSITIVE_INFINITY])
  return Math.min(Number.POSITIVE_INFINITY, ...turns.filter((turn) => turn > now))
}

function publicJwk(jwk: Readonly<Record<string, unknown>>) {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...rest } = jwk
  return rest as { kty: string }
}
