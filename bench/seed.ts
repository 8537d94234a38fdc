/** The data set: users with ten metadata keys each, one project, two applications, and tokens to ask with. */
import { newObjectId, newSecret } from '#src/base/ids.ts'
import type { Domain } from '#src/compose.ts'
import type { Application, Project } from '#src/domain/applications/application.ts'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import type { User, UserId } from '#src/domain/users/user.ts'

const metadataKeys = Array.from({ length: 10 }, (_, index) => `key-${index}`)

export interface Seeded {
  readonly clientId: string
  readonly jwtClientId: string
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
  const project: Project = { id: newObjectId(at), name: 'Bench', roles: [], projectRoleAssertion: false, createdAt: at, changedAt: at }
  const clientSecret = newSecret()
  const web = application(project, hashSecret(clientSecret), { name: 'bench', idTokenUserinfoAssertion: false })
  const jwt = application(project, hashSecret(clientSecret), { name: 'bench-jwt', accessTokenType: 'jwt' })
  await catalogue.commit({ putProjects: [project], putApplications: [web, jwt], events: [] })

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
    clientSecret,
    redirectUri: web.redirectUris[0] as string,
    username,
    password,
    userIds,
  }
}

function userOf(number: number, at: Date): User {
  const id = newObjectId(at) as UserId
  return {
    id,
    kind: 'human',
    username: `user-${id}`,
    state: 'active',
    profile: profileOf(number),
    roles: {},
    admin: false,
    sequence: 1 + metadataKeys.length,
    createdAt: at,
    changedAt: at,
  }
}

const profileOf = (number: number) => ({
  givenName: 'User',
  familyName: String(number),
  email: `user-${number}@bench.example`,
  emailVerified: true,
  locale: 'en',
})

function application(project: Project, clientSecretHash: string, changes: Partial<Application>): Application {
  const id = newObjectId(project.createdAt)
  return {
    id,
    projectId: project.id,
    name: 'bench',
    clientId: id,
    type: 'web',
    authMethod: 'basic',
    clientSecretHash,
    redirectUris: ['http://localhost:3000/callback'],
    postLogoutRedirectUris: [],
    grantTypes: ['authorizationCode', 'refreshToken', 'clientCredentials'],
    responseTypes: ['code'],
    accessTokenType: 'bearer',
    idTokenUserinfoAssertion: false,
    accessTokenRoleAssertion: false,
    idTokenRoleAssertion: false,
    requirePkce: true,
    idTokenSignedResponseAlg: 'ES256',
    firstParty: true,
    audience: 'project',
    clockSkewSeconds: 0,
    additionalOrigins: [],
    active: true,
    createdAt: project.createdAt,
    changedAt: project.changedAt,
    ...changes,
  }
}
