/** What a store keeps of a project, an application and a user: whole, with ids of their own. What is given replaces fields. */
import { newObjectId } from '#src/base/ids.ts'
import type { Application, Project } from '#src/domain/applications/application.ts'
import type { User, UserId } from '#src/domain/users/user.ts'

export function project(given: Partial<Project> = {}): Project {
  const at = new Date()
  return { id: newObjectId(at), name: 'Portal', roles: [], projectRoleAssertion: false, createdAt: at, changedAt: at, ...given }
}

/** A web application of the operator's own. It is confidential, and has the secret whose hash is given. */
export function application(given: Partial<Application> & Pick<Application, 'projectId'>): Application {
  const at = new Date()
  const id = given.id ?? newObjectId(at)
  const name = given.name ?? 'web'
  return {
    id,
    name,
    clientId: `${name}-${id}`,
    type: 'web',
    authMethod: 'basic',
    redirectUris: ['http://localhost:3000/callback'],
    postLogoutRedirectUris: ['http://localhost:3000/'],
    grantTypes: ['authorizationCode', 'refreshToken', 'deviceCode', 'clientCredentials'],
    responseTypes: ['code'],
    accessTokenType: 'bearer',
    idTokenUserinfoAssertion: false,
    accessTokenRoleAssertion: false,
    idTokenRoleAssertion: false,
    requirePkce: true,
    idTokenSignedResponseAlg: 'RS256',
    firstParty: true,
    audience: 'project',
    clockSkewSeconds: 0,
    additionalOrigins: [],
    active: true,
    createdAt: at,
    changedAt: at,
    ...given,
  }
}

/** A person without a password, about whom nothing is known. */
export function user(given: Partial<User> = {}): User {
  const at = new Date()
  const id = given.id ?? (newObjectId(at) as UserId)
  return {
    id,
    kind: 'human',
    username: `user-${id}`,
    state: 'active',
    profile: {},
    roles: {},
    admin: false,
    sequence: 1,
    createdAt: at,
    changedAt: at,
    ...given,
  }
}
