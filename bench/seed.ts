/** The data set: users with ten metadata keys each, one project, two applications, and tokens to ask with. */
import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { newObjectId, newSecret } from '#src/base/ids.ts'
import type { Domain } from '#src/compose.ts'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { application, project, user } from '../test/support/records.ts'

const metadataKeys = Array.from({ length: 10 }, (_, index) => `key-${index}`)

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
  /** Some of the users, spread over all of them. */
  readonly userIds: readonly UserId[]
}

/** Writes the applications, the one person who signs in, and `users` others. `progress` is told how far it is. */
export async function seed(
  { stores, catalogue, users, recorder }: Domain,
  count: number,
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

  const password = newSecret()
  const username = `bench-${newSecret()}`
  await users.create(
    { kind: 'human', username, password, profile: profileOf(0), metadata: metadataKeys.map((key) => ({ key, value: Buffer.from(key) })) },
    { kind: 'system' },
  )

  const userIds: UserId[] = []
  const keepEach = Math.max(1, Math.floor(count / 1000))
  const batch = stores.description.startsWith('SQLite') ? 500 : 50
  for (let done = 0; done < count; done += batch) {
    const size = Math.min(batch, count - done)
    await Promise.all(
      Array.from({ length: size }, (_, index) => {
        const user = userOf(done + index, new Date(at.getTime() + done + index))
        if ((done + index) % keepEach === 0 && userIds.length < 1000) userIds.push(user.id)
        const metadata = metadataKeys.map((key, place): MetadataEntry => {
          const value = Buffer.from(`value of ${key} for user ${done + index}`)
          return { key, value, sequence: place + 2, createdAt: user.createdAt, changedAt: user.changedAt }
        })
        return stores.users.insert(user, metadata, [])
      }),
    )
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
    userIds,
  }
}

const userOf = (number: number, at: Date) =>
  user({ id: newObjectId(at) as UserId, profile: profileOf(number), sequence: 1 + metadataKeys.length, createdAt: at, changedAt: at })

const profileOf = (number: number) => ({
  givenName: 'User',
  familyName: String(number),
  email: `user-${number}@bench.example`,
  emailVerified: true,
  locale: 'en',
})
