/** The data set: users with ten metadata keys each, what the trail has of them, one project, three applications, and tokens to ask with. */
import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { newObjectId, newSecret } from '#src/base/ids.ts'
import type { Domain } from '#src/compose.ts'
import type { AuditEvent } from '#src/domain/audit/events.ts'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import { application, project, user } from '../test/support/records.ts'

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}`)

/** Some of the users are of a kind of their own, for lists that look for those: one of a thousand is locked, one of a hundred holds something. */
const rarely = { locked: 1000, granted: 100, machine: 50 }

const givenNames = ['Anna', 'Bertrand', 'Chiara', 'Dmitri', 'Elif', 'Femi', 'Grete', 'Hiroshi', 'Ines', 'Jamal', 'Kofi', 'Lale']
const syllables = ['ba', 'de', 'fi', 'go', 'hu', 'ka', 'le', 'mi', 'no', 'pu', 'ra', 'se', 'ti', 'vo', 'wu', 'za']

export interface Seeded {
  readonly clientId: string
  readonly jwtClientId: string
  readonly keyClientId: string
  readonly privateJwk: JWK
  /** Of `privateJwk` (RFC 7638). */
  readonly thumbprint: string
  readonly clientSecret: string
  readonly redirectUri: string
  readonly username: string
  readonly password: string
  /** In which one of a hundred users holds something. */
  readonly projectId: string
  /** Some of the users who may act, spread over all of them. */
  readonly userIds: readonly UserId[]
}

/**
 * Writes the applications, the one person who signs in, and `count` others with `keys` metadata keys each and an event of the last fourteen days.
 * `progress` is told how far it is.
 */
export async function seed(
  { stores, catalogue, users, recorder }: Domain,
  { count, keys }: { readonly count: number; readonly keys: number },
  progress: (done: number) => void,
): Promise<Seeded> {
  const at = recorder.now()
  const bench = project({ name: 'Bench' })
  const clientSecret = newSecret()
  const ours = { projectId: bench.id, clientSecretHash: hashSecret(clientSecret), idTokenSignedResponseAlg: 'ES256' } as const
  const web = application({ ...ours, name: 'bench' })
  const jwt = application({ ...ours, name: 'bench-jwt', accessTokenType: 'jwt' })
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' }
  const key = application({
    ...ours,
    name: 'bench-key',
    authMethod: 'privateKeyJwt',
    clientSecretHash: undefined,
    jwks: { keys: [publicJwk] },
  })
  await catalogue.commit({ putProjects: [bench], putApplications: [web, jwt, key], events: [] })

  const metadataKeys = keysOf(keys)
  const password = newSecret()
  const username = `bench-${newSecret()}`
  await users.create(
    {
      kind: 'human',
      username,
      password,
      admin: true,
      profile: profileOf(0),
      metadata: metadataKeys.map((key) => ({ key, value: Buffer.from(key) })),
    },
    { kind: 'system' },
  )

  const userIds: UserId[] = []
  const keepEach = Math.max(1, Math.floor(count / 1000))
  const batch = stores.description.startsWith('SQLite') ? 500 : 50
  for (let done = 0; done < count; done += batch) {
    const size = Math.min(batch, count - done)
    await Promise.all(
      Array.from({ length: size }, (_, index) => {
        const user = userOf({ number: done + index, keys, at: new Date(at.getTime() + done + index), projectId: bench.id })
        if ((done + index) % keepEach === 0 && userIds.length < 1000 && isActive(user)) userIds.push(user.id)
        const metadata = metadataKeys.map((key, place): MetadataEntry => {
          // The first is one of a hundred plans; the others are everybody's own.
          const value = Buffer.from(place === 0 ? `plan ${(done + index) % 100}` : `value of ${key} for user ${done + index}`)
          return { key, value, sequence: place + 2, createdAt: user.createdAt, changedAt: user.changedAt }
        })
        return stores.users.insert(user, metadata, [])
      }),
    )
    await stores.audit.record(Array.from({ length: size }, (_, index) => eventOf((done + index) / count, done + index, at)))
    progress(done + size)
  }
  return {
    clientId: web.clientId,
    jwtClientId: jwt.clientId,
    keyClientId: key.clientId,
    privateJwk: privateKey.export({ format: 'jwk' }) as JWK,
    thumbprint: await calculateJwkThumbprint(publicJwk as JWK),
    clientSecret,
    redirectUri: web.redirectUris[0] as string,
    username,
    password,
    projectId: bench.id,
    userIds,
  }
}

function userOf({ number, keys, at, projectId }: { number: number; keys: number; at: Date; projectId: string }) {
  return user({
    id: newObjectId(at) as UserId,
    kind: number % rarely.machine === 1 ? 'machine' : 'human',
    state: number % rarely.locked === 2 ? 'locked' : 'active',
    roles: number % rarely.granted === 3 ? { [projectId]: ['reader'] } : {},
    profile: profileOf(number),
    sequence: 1 + keys,
    createdAt: at,
    changedAt: at,
  })
}

/** Twelve given names, four thousand family names, and an address of one's own. */
const profileOf = (number: number) => ({
  givenName: givenNames[number % givenNames.length] as string,
  familyName: [7, 13, 61].map((step) => syllables[Math.floor(number / step) % syllables.length]).join(''),
  email: `user-${number}@bench.example`,
  emailVerified: true,
  locale: 'en',
})

const eventTypes = ['user.signed_in', 'user.signed_in', 'user.logged_in', 'user.sign_in_failed', 'user.signed_out', 'token.issued'] as const

/** Something that happened in the last fourteen days, of which `share` have gone by then; a tenth of it was done by the system. */
function eventOf(share: number, number: number, now: Date): AuditEvent {
  const at = new Date(now.getTime() - Math.round((1 - share) * 14 * 86_400_000))
  const id = newObjectId(at)
  const subject = { kind: 'user', id } as const
  const actor = number % 10 === 0 ? ({ kind: 'system' } as const) : subject
  const type = eventTypes[number % eventTypes.length] as AuditEvent['type']
  return { id, type, at, actor, subject, payload: { address: '192.0.2.1', amr: ['pwd'] } } as AuditEvent
}
