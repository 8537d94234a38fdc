/**
 * Proof of possession for tokens at our own APIs, by the rules of the engine's userinfo endpoint: DPoP (RFC 9449, section 7) and client certificates
 * (RFC 8705, section 3).
 */
import { hash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose'
import type { Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { TokenRequest } from '#src/domain/sessions/bearer.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import { artifactOf } from './artifacts.ts'
import type { StoredToken } from './bearer.ts'
import { dpopProofOf, errors } from './internals.ts'
import { thumbprintIn } from './mutualTls.ts'

/** How far a proof's `iat` may be from our clock. */
const windowSeconds = 60
/** The engine takes proofs that are five minutes old or ahead: so long is each remembered. */
const rememberedSeconds = 600

export interface ProofsDeps {
  readonly issuer: string
  readonly artifacts: Pick<ArtifactStore, 'insert'>
  /** Whether the headers that tell a client's certificate may be believed. */
  readonly trustsProxy: boolean
  readonly now: Clock
}

/** Whether whoever sent `request` may use the token: it is presented by the scheme that it was issued for, with the proof that it is bound to. */
export type Proves = (token: StoredToken, value: string, request: TokenRequest) => Promise<boolean>

export function createProves({ issuer, artifacts, trustsProxy, now }: ProofsDeps): Proves {
  return async function proves(token, value, request) {
    const certificate = token['x5t#S256']
    if (certificate !== undefined && !(trustsProxy && thumbprintIn(request.headers) === certificate)) return false
    if (token.jkt === undefined) return request.scheme === 'bearer'
    return request.scheme === 'dpop' && (await proofHolds(token.jkt, value, request))
  }

  async function proofHolds(jkt: string, value: string, { method, path, headers: { dpop: proof } }: TokenRequest): Promise<boolean> {
    if (typeof proof !== 'string') return false
    const verified = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
      typ: 'dpop+jwt',
      currentDate: now(),
    }).catch(() => undefined)
    if (!verified) return false
    const { payload, protectedHeader } = verified
    const { iat, jti, htm, htu, ath } = payload
    const at = now()
    const isRecent = typeof iat === 'number' && Math.abs(epochSeconds(at) - iat) <= windowSeconds
    const isForThis = htm === method && typeof htu === 'string' && addressOf(htu) === issuer + path
    const isForToken = ath === hash('sha256', value, 'base64url') && (await calculateJwkThumbprint(protectedHeader.jwk as JWK)) === jkt
    if (!isRecent || !isForThis || !isForToken || typeof jti !== 'string' || jti === '') return false
    return artifacts.insert(artifactOf('ReplayDetection', proofId(jkt, jti), {}, rememberedSeconds, at))
  }
}

/** Under what a proof is remembered, wherever it was used. */
const proofId = (jkt: string, jti: string) => hash('sha256', `dpop:${jkt}:${jti}`, 'base64url')

/**
 * Lets a proof or an assertion be used once at the engine's endpoints too, also when many come at once: the engine looks first and writes then. A proof that
 * comes again is `invalid_dpop_proof` (RFC 9449, section 7.1), for which the engine has other words; it is remembered together with those of our own APIs, and
 * for as long as it could be used.
 */
export function installReplayDetection(provider: Provider, { artifacts, now }: Pick<ProofsDeps, 'artifacts' | 'now'>): void {
  const insert = (id: string, seconds: number) => artifacts.insert(artifactOf('ReplayDetection', id, {}, seconds, now()))
  Object.assign((provider as unknown as { ReplayDetection: object }).ReplayDetection, {
    async unique(issuer: string, jti: string, exp: number): Promise<boolean> {
      const proof = dpopProofOf(provider)
      if (proof?.payload.jti !== jti) return insert(hash('sha256', `${issuer}${jti}`, 'base64url'), exp - epochSeconds(now()))
      const jkt = await calculateJwkThumbprint(proof.protectedHeader.jwk as JWK)
      if (!(await insert(proofId(jkt, jti), rememberedSeconds))) {
        throw new errors.InvalidDpopProof('DPoP: the proof has been used already')
      }
      return true
    },
  })
}

/** An `htu` without what a proof need not have right: query and fragment. */
function addressOf(htu: string): string | undefined {
  const url = URL.parse(htu)
  return url ? url.origin + url.pathname : undefined
}
