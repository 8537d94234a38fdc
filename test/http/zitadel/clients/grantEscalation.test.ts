/** Nobody gives what they do not have, and nobody changes who may do more, or Dossier's own project. */
import { Code, type ConnectError } from '@connectrpc/connect'
import { createClientFor } from '@zitadel/client'
import { createManagementServiceClient } from '@zitadel/client/v1'
import { AppService } from '@zitadel/proto/zitadel/app/v2beta/app_service_pb.js'
import { AuthorizationService } from '@zitadel/proto/zitadel/authorization/v2beta/authorization_service_pb.js'
import { ProjectService } from '@zitadel/proto/zitadel/project/v2beta/project_service_pb.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantIdOf } from '#src/domain/users/grants.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { type Idp, startIdp } from '../../../support/idp.ts'
import { managerOf, transports } from './api.ts'

const open = (transports[1] as (typeof transports)[number]).open

let idp: Idp
let own: string
beforeAll(async () => {
  idp = await startIdp()
  own = (await idp.domain.catalogue.root()).ownProjectId
})
afterAll(() => idp[Symbol.asyncDispose]())

async function managerWith(...roles: string[]) {
  const { id, token } = await managerOf(idp, roles)
  const transport = open(idp.issuer, token)
  return {
    id,
    management: createManagementServiceClient(transport),
    projects: createClientFor(ProjectService)(transport),
    apps: createClientFor(AppService)(transport),
    authorizations: createClientFor(AuthorizationService)(transport),
  }
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'served',
    (error: unknown) => Code[(error as ConnectError).code],
  )

const rolesOf = async (id: string) => (await idp.domain.users.get(id as UserId)).roles[own] ?? []

describe.each(['PROJECT_OWNER', 'ORG_USER_MANAGER', 'ORG_OWNER'])('a manager who is %s', (role) => {
  test('gives neither themselves nor others a role beyond their own', async () => {
    const { id, management, authorizations } = await managerWith(role)
    const { id: friend } = await managerOf(idp, [])
    for (const userId of [id, friend, idp.jane.id]) {
      for (const roleKeys of [['IAM_OWNER'], ['IAM_OWNER_VIEWER'], [role, 'ORG_ADMIN_IMPERSONATOR'], ['IAM_LOGIN_CLIENT', 'IAM_OWNER']]) {
        expect(await codeOf(management.addUserGrant({ userId, projectId: own, roleKeys }))).toBe('PermissionDenied')
        expect(await codeOf(authorizations.createAuthorization({ userId, projectId: own, roleKeys }))).toBe('PermissionDenied')
      }
    }
    const grantId = grantIdOf(id, own)
    expect(await codeOf(management.updateUserGrant({ userId: id, grantId, roleKeys: [role, 'IAM_OWNER'] }))).toBe('PermissionDenied')
    expect(await codeOf(authorizations.updateAuthorization({ id: grantId, roleKeys: ['IAM_OWNER'] }))).toBe('PermissionDenied')
    expect([await rolesOf(id), await rolesOf(friend), await rolesOf(idp.jane.id)]).toEqual([[role], [], []])
  })

  test('gives others what they hold', async () => {
    const { management } = await managerWith(role)
    const friend = await idp.domain.users.create({ kind: 'machine', username: `friend-of-${role}`, profile: {} }, { kind: 'system' })
    await management.addUserGrant({ userId: friend.id, projectId: own, roleKeys: [role] })
    expect(await rolesOf(friend.id)).toEqual([role])
  })

  test('takes nothing from, and gives nothing to, who may do more', async () => {
    const { management, authorizations } = await managerWith(role)
    const { id: userId } = await managerOf(idp, ['IAM_OWNER'])
    const grantId = grantIdOf(userId, own)
    const calls = [
      management.removeUserGrant({ userId, grantId }),
      management.deactivateUserGrant({ userId, grantId }),
      management.updateUserGrant({ userId, grantId, roleKeys: [] }),
      management.bulkRemoveUserGrant({ grantId: [grantId] }),
      authorizations.deleteAuthorization({ id: grantId }),
      authorizations.deactivateAuthorization({ id: grantId }),
      management.addUserGrant({ userId, projectId: idp.project.id, roleKeys: ['reader'] }),
    ]
    expect(new Set(await Promise.all(calls.map(codeOf)))).toEqual(new Set(['PermissionDenied']))
    expect(await rolesOf(userId)).toEqual(['IAM_OWNER'])
  })

  test('does not switch on again what was switched off and is more than their own', async () => {
    const { management, authorizations } = await managerWith(role)
    const { id: userId } = await managerOf(idp, ['IAM_OWNER'])
    await idp.domain.grants.deactivate(userId as UserId, own, { kind: 'system' })
    const grantId = grantIdOf(userId, own)
    expect(await codeOf(management.reactivateUserGrant({ userId, grantId }))).toBe('PermissionDenied')
    expect(await codeOf(authorizations.activateAuthorization({ id: grantId }))).toBe('PermissionDenied')
  })
})

test('a manager whose grant is switched off manages nothing', async () => {
  const { id, management } = await managerWith('IAM_OWNER')
  expect(await codeOf(management.listProjects({}))).toBe('served')
  await idp.domain.grants.deactivate(id as UserId, own, { kind: 'system' })
  expect(await codeOf(management.listProjects({}))).toBe('PermissionDenied')
})

test("nobody changes Dossier's own project, its roles and its applications", async () => {
  const { management, projects, apps } = await managerWith('IAM_OWNER')
  const project = { projectId: own }
  const before = (await idp.domain.catalogue.listProjects()).find(({ id }) => id === own)
  const calls = [
    management.updateProject({ id: own, name: 'Mine' }),
    management.deactivateProject({ id: own }),
    management.removeProject({ id: own }),
    management.addProjectRole({ ...project, roleKey: 'IAM_SUPER', displayName: 'Super' }),
    management.bulkAddProjectRoles({ ...project, roles: [{ key: 'x', displayName: 'x' }] }),
    management.updateProjectRole({ ...project, roleKey: 'IAM_OWNER', displayName: 'x' }),
    management.removeProjectRole({ ...project, roleKey: 'IAM_OWNER' }),
    management.addOIDCApp({ ...project, name: 'x', redirectUris: ['https://evil.example/cb'] }),
    management.addAPIApp({ ...project, name: 'x' }),
    projects.deleteProject({ id: own }),
    apps.createApplication({ ...project, name: 'x', creationRequestType: { case: 'apiRequest', value: {} } }),
  ]
  expect(new Set(await Promise.all(calls.map(codeOf)))).toEqual(new Set(['FailedPrecondition']))
  expect((await idp.domain.catalogue.listProjects()).find(({ id }) => id === own)).toEqual(before)
})

test('an application is reached through its own project only, and a grant through its own user', async () => {
  const { management } = await managerWith('ORG_OWNER')
  const { id: projectId } = await management.addProject({ name: 'Beside' })
  const appId = idp.web.id
  const calls = [
    management.getAppByID({ projectId, appId }),
    management.removeApp({ projectId, appId }),
    management.regenerateOIDCClientSecret({ projectId, appId }),
    management.updateOIDCAppConfig({ projectId, appId, redirectUris: ['https://evil.example/cb'] }),
    management.getUserGrantByID({ userId: '000000000000000000000000', grantId: grantIdOf(idp.jane.id, idp.project.id) }),
    management.removeUserGrant({ userId: '000000000000000000000000', grantId: grantIdOf(idp.jane.id, idp.project.id) }),
    management.bulkRemoveUserGrant({ grantId: ['nonsense'] }),
  ]
  expect(new Set(await Promise.all(calls.map(codeOf)))).toEqual(new Set(['NotFound']))
  expect(await idp.domain.applications.get(appId)).toMatchObject({ clientSecretHash: idp.web.clientSecretHash })
})

test('roles that are added at once are all there', async () => {
  const { management } = await managerWith('ORG_OWNER')
  const { id: projectId } = await management.addProject({ name: 'Crowded' })
  const keys = Array.from({ length: 20 }, (_, n) => `role-${n}`)
  await Promise.all(keys.map((roleKey) => management.addProjectRole({ projectId, roleKey, displayName: roleKey })))
  const { result } = await management.listProjectRoles({ projectId })
  expect(result.map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
})
