/**
 * Signing keys: make, publish, rotate, retire.
 *
 * A key is published as soon as it is made and signs from its `activeFrom` on, so that every relying party has seen it by then. Its
 * predecessor stays published until the last token it signed has expired. What a key is at a moment follows from these times alone:
 * nothing has to be switched, and all instances agree. Knows nothing of JWTs or of the engine.
 */
import { createHash, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { Busy, DomainError } from '#src/base/errors.ts'
import type { Settings, SigningAlgorithm } from '../applications/application.ts'
import type { Actor } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { Lock } from '../sessions/lock.ts'
import type { Sealer } from './seal.ts'
import type { KeyStore, StoredKey } from './store.ts'

const generate = promisify(generateKeyPair)

/** For this long a new key is published before it signs. Relying parties may keep the key set for half of it. */
export const publishAheadSeconds = 600

/** How long a token may be accepted after it was signed. A verifier's clock may be late by the most that an application may be granted. */
export const longestTokenSecondsOf = ({ accessTokenTtlSeconds, idTokenTtlSeconds }: Settings): number =>
  Math.max(accessTokenTtlSeconds, idTokenTtlSeconds) + 5

/** A private key as a JWK with `kid`, `alg` and `use`. */
export type PrivateJwk = Readonly<Record<string, unknown>> & { readonly kid: string; readonly alg: SigningAlgorithm }

export type KeyPhase = 'published' | 'signing' | 'retired'

/** There is a successor already, which has not begun to sign: another one would only make the key set longer. */
export class SuccessorWaits extends DomainError {
  readonly code = 'keys.successor_waits'
  readonly algorithms: string
  constructor(algorithms: readonly SigningAlgorithm[]) {
    super(`a successor of ${algorithms.join(', ')} waits to sign already`)
    this.algorithms = algorithms.join(', ')
  }
}

export interface KeysDeps {
  readonly store: KeyStore
  readonly sealer: Sealer
  readonly recorder: Recorder
  readonly exclusively: Lock
}

/** Rotations wait for each other so long. */
const patienceMs = 30_000

export type Keys = ReturnType<typeof createKeys>

export function createKeys({ store, sealer, recorder, exclusively }: KeysDeps) {
  async function make(algorithm: SigningAlgorithm, activeFrom: Date): Promise<StoredKey> {
    let jwk = await newPrivateJwk(algorithm)
    // A command line would take such an id for an option.
    while (jwk.kid.startsWith('-')) jwk = await newPrivateJwk(algorithm)
    return { kid: jwk.kid, algorithm, sealed: sealer.seal(JSON.stringify(jwk), jwk.kid), createdAt: recorder.now(), activeFrom }
  }

  /** Whoever cannot open the keys that sign must not add others: servers could open neither all of them nor, after a while, any. @throws CannotUnseal */
  function assertOpens(keys: readonly StoredKey[]): void {
    for (const { sealed, kid, publishedUntil } of keys) if (!publishedUntil) sealer.open(sealed, kid)
  }

  const created = (key: StoredKey, actor: Actor) =>
    recorder.event(
      'key.created',
      actor,
      { kind: 'key', id: key.kid },
      { algorithm: key.algorithm, activeFrom: key.activeFrom.toISOString() },
    )

  interface Rotation {
    readonly algorithm?: SigningAlgorithm | undefined
    readonly aheadSeconds?: number
    readonly longestTokenSeconds: number
  }

  async function rotate(
    { algorithm, aheadSeconds = publishAheadSeconds, longestTokenSeconds }: Rotation,
    actor: Actor,
  ): Promise<readonly StoredKey[]> {
    const now = recorder.now()
    const all = await store.list()
    assertOpens(all)
    const current = all.filter((key) => !key.publishedUntil && (algorithm === undefined || key.algorithm === algorithm))
    const waiting = current.filter((key) => key.activeFrom > now)
    if (waiting.length > 0 && aheadSeconds > 0) throw new SuccessorWaits(waiting.map((key) => key.algorithm))
    const activeFrom = new Date(now.getTime() + aheadSeconds * 1000)
    const publishedUntil = new Date(activeFrom.getTime() + longestTokenSeconds * 1000)
    const advanced = waiting.map((key) => ({ ...key, activeFrom }))
    const isAdvanced = (key: StoredKey) => waiting.some((each) => each.algorithm === key.algorithm)
    const former = current.filter((key) => !isAdvanced(key))
    const made = await Promise.all([...new Set(former.map((key) => key.algorithm))].map((each) => make(each, activeFrom)))
    // What was replaced before it had signed would sign later, in place of the one that begins now.
    const isOver = (key: StoredKey) => key.publishedUntil && (key.publishedUntil <= now || (isAdvanced(key) && key.activeFrom > now))
    const over = all.filter(isOver).map((key) => key.kid)
    await store.commit({
      put: [...former.map((key) => ({ ...key, publishedUntil })), ...advanced, ...made],
      remove: over,
      events: [
        ...advanced.map((key) =>
          recorder.event('key.advanced', actor, { kind: 'key', id: key.kid }, { activeFrom: activeFrom.toISOString() }),
        ),
        ...made.map((key) => created(key, actor)),
        ...former.map((key) =>
          recorder.event('key.retired', actor, { kind: 'key', id: key.kid }, { publishedUntil: publishedUntil.toISOString() }),
        ),
        ...over.map((kid) => recorder.event('key.removed', actor, { kind: 'key', id: kid }, {})),
      ],
    })
    return [...advanced, ...made]
  }

  return {
    /** Every published key, still sealed: the one that signs first of its algorithm, then the others, newest first. */
    async published(): Promise<readonly StoredKey[]> {
      const now = recorder.now()
      const keys = (await store.list()).filter((key) => !key.publishedUntil || key.publishedUntil > now)
      return signingFirst(keys, now)
    },

    /** The private key that `sealed` holds. @throws CannotUnseal */
    open: ({ sealed, kid }: StoredKey) => JSON.parse(sealer.open(sealed, kid)) as PrivateJwk,

    /** All stored keys with what they are now. */
    async list(): Promise<readonly (Omit<StoredKey, 'sealed'> & { phase: KeyPhase })[]> {
      const now = recorder.now()
      const keys = await store.list()
      return keys.map(({ sealed: _, ...key }) => ({ ...key, phase: phaseOf(key, keys, now) }))
    },

    /** Makes a key of each of `algorithms` that has none, to sign from now on. @throws CannotUnseal */
    async ensure(algorithms: readonly SigningAlgorithm[], actor: Actor): Promise<void> {
      const all = await store.list()
      const existing = new Set(all.filter((key) => !key.publishedUntil).map((key) => key.algorithm))
      const missing = algorithms.filter((algorithm) => !existing.has(algorithm))
      if (missing.length === 0) return
      assertOpens(all)
      const put = await Promise.all(missing.map((algorithm) => make(algorithm, recorder.now())))
      await store.commit({ put, remove: [], events: put.map((key) => created(key, actor)) })
    },

    /**
     * Makes a successor to every current key (of `algorithm`, or of all). It signs after `aheadSeconds`; the former one stays
     * published until the tokens that it may sign by then are gone, which takes `longestTokenSeconds`. Keys whose time is over go.
     * A successor that waits already signs now when `aheadSeconds` is 0; otherwise there must be none.
     * @throws CannotUnseal, SuccessorWaits, Busy
     */
    rotate: (rotation: Rotation, actor: Actor): Promise<readonly StoredKey[]> =>
      exclusively('keys', () => rotate(rotation, actor), { patienceMs, refuse: () => new Busy('a rotation of keys') }),

    /** Takes a retired key away at once: tokens it signed no longer verify. Answers whether there was such a key that does not sign. */
    async retire(kid: string, actor: Actor): Promise<boolean> {
      const keys = await store.list()
      const key = keys.find((each) => each.kid === kid)
      if (!key || phaseOf(key, keys, recorder.now()) === 'signing') return false
      const successors = keys.filter((each) => each.algorithm === key.algorithm && each.kid !== kid)
      // Taking the successor away again makes its predecessor the current key once more.
      const revived = key.publishedUntil ? [] : successors.filter((each) => phaseOf(each, keys, recorder.now()) === 'signing')
      await store.commit({
        put: revived.map(({ publishedUntil: _, ...each }) => each),
        remove: [kid],
        events: [recorder.event('key.removed', actor, { kind: 'key', id: kid }, {})],
      })
      return true
    },
  }
}

/** What `key` is among `keys` at `now`: the newest active one of its algorithm signs. */
function phaseOf(key: Pick<StoredKey, 'kid' | 'algorithm' | 'activeFrom'>, keys: readonly StoredKey[], now: Date): KeyPhase {
  if (key.activeFrom > now) return 'published'
  return signerOf(key.algorithm, keys, now)?.kid === key.kid ? 'signing' : 'retired'
}

const newestFirst = (a: StoredKey, b: StoredKey) => b.activeFrom.getTime() - a.activeFrom.getTime() || (a.kid < b.kid ? -1 : 1)

function signerOf(algorithm: SigningAlgorithm, keys: readonly StoredKey[], now: Date) {
  return keys.filter((key) => key.algorithm === algorithm && key.activeFrom <= now).sort(newestFirst)[0]
}

function signingFirst(keys: readonly StoredKey[], now: Date): readonly StoredKey[] {
  const isSigner = (key: StoredKey) => signerOf(key.algorithm, keys, now)?.kid === key.kid
  return [...keys].sort((a, b) => Number(isSigner(b)) - Number(isSigner(a)) || newestFirst(a, b))
}

async function newPrivateJwk(algorithm: SigningAlgorithm): Promise<PrivateJwk> {
  const { privateKey } = await generatePair(algorithm)
  const jwk = privateKey.export({ format: 'jwk' })
  return { ...jwk, kid: thumbprint(jwk as Record<string, unknown>), alg: algorithm, use: 'sig' }
}

function generatePair(algorithm: SigningAlgorithm) {
  switch (algorithm) {
    case 'ES256':
      return generate('ec', { namedCurve: 'P-256' })
    case 'EdDSA':
      return generate('ed25519')
    case 'RS256':
    case 'PS256':
      return generate('rsa', { modulusLength: 2048 })
  }
}

/** The JWK thumbprint of RFC 7638: required members only, in order. */
function thumbprint(jwk: Record<string, unknown>): string {
  const members = jwk.kty === 'RSA' ? ['e', 'kty', 'n'] : jwk.kty === 'EC' ? ['crv', 'kty', 'x', 'y'] : ['crv', 'kty', 'x']
  const canonical = JSON.stringify(Object.fromEntries(members.map((member) => [member, jwk[member]])))
  return createHash('sha256').update(canonical).digest('base64url')
}
