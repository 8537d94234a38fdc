/** Projects, roles, applications and grants, made by ZITADEL's own client and used by a relying party. */

import { createPrivateKey } from 'node:crypto'
import { Code, type ConnectError } from '@connectrpc/connect'
import { createClientFor } from '@zitadel/client'
import { createManagementServiceClient } from '@zitadel/client/v1'
import { createOrganizationServiceClient, createSettingsServiceClient } from '@zitadel/client/v2'
import { AppState } from '@zitadel/proto/zitadel/app/v2beta/app_pb.js'
import { AppService } from '@zitadel/proto/zitadel/app/v2beta/app_service_pb.js'
import { OIDCResponseType as SecondResponseType } from '@zitadel/proto/zitadel/app/v2beta/oidc_pb.js'
import { OIDCAppType, OIDCAuthMethodType, OIDCGrantType, OIDCResponseType, OIDCTokenType } from '@zitadel/proto/zitadel/app_pb.js'
import { State } from '@zitadel/proto/zitadel/authorization/v2beta/authorization_pb.js'
import { AuthorizationService } from '@zitadel/proto/zitadel/authorization/v2beta/authorization_service_pb.js'
import { ProjectService } from '@zitadel/proto/zitadel/project/v2beta/project_service_pb.js'
import { decodeJwt, importPKCS8, SignJWT } from 'jose'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Idp, startIdp } from '../../../support/idp.ts'
import { signIn } from '../../../support/relyingParty.ts'
import { testStores } from '../../../support/stores.ts'
import { managerOf, transports } from './api.ts'

const rolesClaim = 'urn:zitadel:iam:org:project:roles'

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('it was served'),
    (error: unknown) => error as ConnectError,
  )

async function clientsOf(idp: Idp, open = transports[1]?.open as (typeof transports)[number]['open'], roles = ['ORG_OWNER']) {
  const transport = open(idp.issuer, (await managerOf(idp, roles)).token)
  return {
    management: createManagementServiceClient(transport),
    projects: createClientFor(ProjectService)(transport),
    apps: createClientFor(AppService)(transport),
    authorizations: createClientFor(AuthorizationService)(transport),
    organizations: createOrganizationServiceClient(transport),
    settings: createSettingsServiceClient(transport),
  }
}

/** An OIDC application for JWT access tokens with roles. */
const portal = {
  name: 'Portal',
  redirectUris: ['http://localhost:3000/callback'],
  responseTypes: [OIDCResponseType.OIDC_RESPONSE_TYPE_CODE],
  grantTypes: [OIDCGrantType.OIDC_GRANT_TYPE_AUTHORIZATION_CODE, OIDCGrantType.OIDC_GRANT_TYPE_REFRESH_TOKEN],
  appType: OIDCAppType.OIDC_APP_TYPE_WEB,
  authMethodType: OIDCAuthMethodType.OIDC_AUTH_METHOD_TYPE_BASIC,
  accessTokenType: OIDCTokenType.OIDC_TOKEN_TYPE_JWT,
  accessTokenRoleAssertion: true,
  idTokenRoleAssertion: true,
}

const flows = [
  ...transports.slice(0, 2).map((each) => ({ ...each, store: testStores[0] as (typeof testStores)[number] })),
  ...testStores.slice(1).map((store) => ({ ...(transports[0] as (typeof transports)[number]), store })),
]

test.each(flows.map((flow) => ({ ...flow, title: `${flow.name}, on ${flow.store.name}` })))(
  'over $title: from a new project to its role in a token, until the role is gone',
  async ({ open, store }) => {
    await using idp = await startIdp({ store: store.make() })
    const { management } = await clientsOf(idp, open)
    const { id: projectId } = await management.addProject({ name: 'Shop', projectRoleAssertion: true })
    await management.addProjectRole({ projectId, roleKey: 'buyer', displayName: 'Buys', group: 'people' })
    const added = await management.addOIDCApp({ projectId, ...portal })
    expect(added).toMatchObject({ noneCompliant: false, complianceProblems: [] })
    const { userGrantId } = await management.addUserGrant({ userId: idp.jane.id, projectId, roleKeys: ['buyer'] })

    const application = await idp.domain.applications.get(added.appId)
    const { organization } = await idp.domain.catalogue.root()
    const held = { buyer: { [organization.id]: organization.primaryDomain } }
    const told = async (secret = added.clientSecret) => {
      const { tokens } = await signIn(idp, { application, secret })
      const [id, access] = [decodeJwt(tokens.id_token as string), decodeJwt(tokens.access_token)]
      expect(access[rolesClaim]).toEqual(id[rolesClaim])
      return id[rolesClaim]
    }
    expect(await told()).toEqual(held)

    const { app } = await management.getAppByID({ projectId, appId: added.appId })
    expect(JSON.stringify(app, (_, value) => (typeof value === 'bigint' ? Number(value) : value))).not.toContain(added.clientSecret)
    await management.deactivateUserGrant({ userId: idp.jane.id, grantId: userGrantId })
    expect(await told()).toBeUndefined()
    await management.reactivateUserGrant({ userId: idp.jane.id, grantId: userGrantId })
    const { clientSecret } = await management.regenerateOIDCClientSecret({ projectId, appId: added.appId })
    expect(await told(clientSecret)).toEqual(held)
    await expect(told()).rejects.toThrow()

    await management.removeProjectRole({ projectId, roleKey: 'buyer' })
    expect(await told(clientSecret)).toBeUndefined()
    const { userGrant } = await management.getUserGrantByID({ userId: idp.jane.id, grantId: userGrantId })
    expect(userGrant).toMatchObject({ roleKeys: [], projectName: 'Shop', userName: idp.jane.username, displayName: 'Jane Doe' })
    // A role of the same name is another one.
    await management.addProjectRole({ projectId, roleKey: 'buyer', displayName: 'Buys' })
    expect(await told(clientSecret)).toBeUndefined()

    await management.deactivateProject({ id: projectId })
    await expect(told(clientSecret)).rejects.toThrow()
    await management.reactivateProject({ id: projectId })
    expect(await told(clientSecret)).toBeUndefined()
    await management.removeProject({ id: projectId })
    await expect(told(clientSecret)).rejects.toThrow()
    expect((await idp.domain.users.get(idp.jane.id)).roles).toEqual({ [idp.project.id]: ['reader'] })
  },
)

describe('on a server', () => {
  let idp: Idp
  let clients: Awaited<ReturnType<typeof clientsOf>>
  beforeAll(async () => {
    idp = await startIdp()
    clients = await clientsOf(idp)
  })
  afterAll(() => idp[Symbol.asyncDispose]())

  test('by the second version, a project gets roles, an application and an authorization', async () => {
    const { projects, apps, authorizations } = clients
    const { organization } = await idp.domain.catalogue.root()
    const { id: projectId } = await projects.createProject({ organizationId: organization.id, id: 'second', name: 'Second' })
    expect(projectId).toBe('second')
    await projects.updateProject({ id: projectId, projectRoleAssertion: true })
    await projects.addProjectRole({ projectId, roleKey: 'reader', displayName: 'Reads' })
    await projects.addProjectRole({ projectId, roleKey: 'editor', displayName: 'Edits', group: 'staff' })
    await projects.updateProjectRole({ projectId, roleKey: 'editor', displayName: 'Writes' })
    const { projectRoles } = await projects.listProjectRoles({ projectId, sortingColumn: 1, pagination: { asc: true } })
    expect(projectRoles).toMatchObject([
      { key: 'editor', displayName: 'Writes', group: 'staff' },
      { key: 'reader', displayName: 'Reads', group: '' },
    ])
    expect((await projects.getProject({ id: projectId })).project).toMatchObject({ name: 'Second', state: 1, projectRoleAssertion: true })
    const named = { case: 'projectNameFilter', value: { projectName: 'SEC', method: 3 } } as const
    const found = await projects.listProjects({ filters: [{ filter: named }] })
    expect([found.pagination?.totalResult, found.projects.map(({ id }) => id)]).toEqual([1n, ['second']])

    const oidcRequest = {
      redirectUris: ['http://localhost:3000/callback'],
      responseTypes: [SecondResponseType.OIDC_RESPONSE_TYPE_CODE],
      idTokenRoleAssertion: true,
    }
    const created = await apps.createApplication({
      projectId,
      name: 'Editor',
      creationRequestType: { case: 'oidcRequest', value: oidcRequest },
    })
    const { clientSecret } = created.creationResponseType.value as { clientSecret: string }
    await authorizations.createAuthorization({ userId: idp.jane.id, projectId, roleKeys: ['editor'] })
    const application = await idp.domain.applications.get(created.appId)
    const { tokens } = await signIn(idp, { application, secret: clientSecret })
    expect(decodeJwt(tokens.id_token as string)[rolesClaim]).toHaveProperty('editor')

    const { app } = await apps.getApplication({ id: created.appId })
    expect(app).toMatchObject({ name: 'Editor', state: AppState.ACTIVE, config: { case: 'oidcConfig', value: oidcRequest } })
    await apps.updateApplication({
      projectId,
      id: created.appId,
      updateRequestType: { case: 'oidcConfigurationRequest', value: { devMode: true, redirectUris: ['http://dev.example/callback'] } },
    })
    const after = await idp.domain.applications.get(created.appId)
    expect(after).toMatchObject({
      devMode: true,
      idTokenRoleAssertion: true,
      redirectUris: ['http://dev.example/callback'],
      firstParty: true,
    })

    expect((await signIn(idp, { application: after, secret: clientSecret })).callback.host).toBe('dev.example')

    const { authorizations: granted } = await authorizations.listAuthorizations({
      filters: [
        { filter: { case: 'projectId', value: { id: projectId } } },
        { filter: { case: 'state', value: { state: State.ACTIVE } } },
        { filter: { case: 'roleKey', value: { key: 'edit', method: 2 } } },
      ],
    })
    expect(granted).toMatchObject([{ projectName: 'Second', roles: ['editor'], user: { id: idp.jane.id, displayName: 'Jane Doe' } }])
    const id = granted[0]?.id as string
    await authorizations.deactivateAuthorization({ id })
    await authorizations.updateAuthorization({ id, roleKeys: ['reader', 'editor'] })
    const byId: NonNullable<Parameters<typeof authorizations.listAuthorizations>[0]['filters']>[number] = {
      filter: { case: 'authorizationIds', value: { ids: [id, 'none'] } },
    }
    expect((await authorizations.listAuthorizations({ filters: [byId] })).authorizations).toMatchObject([
      { state: State.INACTIVE, roles: ['reader', 'editor'] },
    ])
    await authorizations.activateAuthorization({ id })
    await authorizations.deleteAuthorization({ id })
    expect((await authorizations.listAuthorizations({ filters: [byId] })).authorizations).toEqual([])
    await apps.deactivateApplication({ projectId, id: created.appId })
    await expect(signIn(idp, { application, secret: clientSecret })).rejects.toThrow()
    await apps.deleteApplication({ projectId, id: created.appId })
    expect(await failureOf(apps.getApplication({ id: created.appId }))).toMatchObject({ code: Code.NotFound })
    await projects.deleteProject({ id: projectId })
  })

  test('an API proves who it is by a secret, or by a key that is made for it', async () => {
    const { management } = clients
    const { id: projectId } = await management.addProject({ name: 'APIs' })
    const withSecret = await management.addAPIApp({ projectId, name: 'with a secret' })
    const { tokens } = await signIn(idp, { scope: `openid urn:zitadel:iam:org:project:id:${projectId}:aud` })
    const asApi = await openid.discovery(new URL(idp.issuer), withSecret.clientId, {}, openid.ClientSecretBasic(withSecret.clientSecret), {
      execute: [openid.allowInsecureRequests],
    })
    expect(await openid.tokenIntrospection(asApi, tokens.access_token)).toMatchObject({ active: true, sub: idp.jane.id })

    const withKey = await management.addAPIApp({ projectId, name: 'with a key', authMethodType: 1 })
    expect(withKey.clientSecret).toBe('')
    const { appId } = withKey
    const { id: keyId, keyDetails } = await management.addAppKey({ projectId, appId, type: 1 })
    const file = JSON.parse(Buffer.from(keyDetails).toString())
    expect(file).toMatchObject({ type: 'application', keyId, appId, clientId: withKey.clientId })
    const pkcs8 = createPrivateKey(file.key).export({ type: 'pkcs8', format: 'pem' }).toString()
    const introspect = async () => {
      const assertion = await new SignJWT({})
        .setProtectedHeader({ alg: 'RS256', kid: keyId })
        .setIssuer(file.clientId)
        .setSubject(file.clientId)
        .setAudience(idp.issuer)
        .setIssuedAt()
        .setJti(crypto.randomUUID())
        .setExpirationTime('5m')
        .sign(await importPKCS8(pkcs8, 'RS256'))
      const body = new URLSearchParams({
        token: tokens.access_token,
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      })
      return fetch(idp.url('/oauth/v2/introspect'), { method: 'POST', body })
    }
    expect(await (await introspect()).json()).toMatchObject({ active: true, sub: idp.jane.id })
    const { result } = await management.listAppKeys({ projectId, appId })
    expect(result.map(({ id }) => id)).toEqual([keyId])
    expect(result[0]?.details?.creationDate).toBeDefined()
    await management.removeAppKey({ projectId, appId, keyId })
    expect((await introspect()).status).toBe(401)
    expect(await failureOf(management.getAppKey({ projectId, appId, keyId }))).toMatchObject({ code: Code.NotFound })
  })

  test('grants are found by everything that they are asked by', async () => {
    const { management } = clients
    const { jane, project } = idp
    const { id: other } = await management.addProject({ name: 'Other' })
    await management.bulkAddProjectRoles({ projectId: other, roles: ['a', 'b'].map((key) => ({ key, displayName: key })) })
    await management.addUserGrant({ userId: jane.id, projectId: other, roleKeys: ['a', 'b'] })
    type Query = NonNullable<NonNullable<Parameters<typeof management.listUserGrants>[0]['queries']>[number]['query']>
    const find = async (...queries: Query[]) => {
      const { result, details } = await management.listUserGrants({ query: { asc: true }, queries: queries.map((query) => ({ query })) })
      expect(details?.totalResult ?? 0n).toBe(BigInt(result.length))
      return result.map(({ projectId }) => (projectId === other ? 'other' : projectId === project.id ? 'first' : 'own'))
    }
    const ofJane = { case: 'userIdQuery', value: { userId: jane.id } } as const
    expect(await find(ofJane)).toEqual(['first', 'other'])
    expect(await find({ case: 'projectIdQuery', value: { projectId: other } })).toEqual(['other'])
    expect(await find(ofJane, { case: 'roleKeyQuery', value: { roleKey: 'b', method: 0 } })).toEqual(['other'])
    expect(await find(ofJane, { case: 'projectNameQuery', value: { projectName: 'oth', method: 3 } })).toEqual(['other'])
    expect(await find({ case: 'firstNameQuery', value: { firstName: 'Jane', method: 0 } })).toEqual(['first', 'other'])
    expect(await find({ case: 'lastNameQuery', value: { lastName: 'Roe', method: 0 } })).toEqual([])
    expect(await find({ case: 'emailQuery', value: { email: 'jane@', method: 2 } })).toEqual(['first', 'other'])
    expect(await find({ case: 'userTypeQuery', value: { type: 2 } })).not.toContain('first')
    expect(await find(ofJane, { case: 'orgNameQuery', value: { orgName: 'Dossier', method: 0 } })).toEqual(['first', 'other'])
    expect(await find(ofJane, { case: 'orgDomainQuery', value: { orgDomain: 'elsewhere', method: 0 } })).toEqual([])
    expect(await find({ case: 'projectIdQuery', value: { projectId: 'none' } })).toEqual([])
    const many = Array.from({ length: 101 }, () => ({ query: ofJane }))
    expect(await failureOf(management.listUserGrants({ queries: many }))).toMatchObject({ code: Code.InvalidArgument })
    const { result, details } = await management.listUserGrants({
      query: { asc: true, offset: 1n, limit: 1 },
      queries: [{ query: ofJane }],
    })
    expect([result.map(({ projectId }) => projectId), details?.totalResult]).toEqual([[other], 2n])
  })

  test('the organization and the settings say what is so', async () => {
    const { management, organizations, settings } = clients
    const { organization } = await idp.domain.catalogue.root()
    expect((await management.getMyOrg({})).org).toMatchObject({
      id: organization.id,
      name: 'Dossier',
      state: 1,
      primaryDomain: 'localhost',
    })
    expect(await management.getIAM({})).toMatchObject({ defaultOrgId: organization.id })
    expect(await management.getOIDCInformation({})).toMatchObject({ issuer: idp.issuer })
    const { result } = await organizations.listOrganizations({ queries: [{ query: { case: 'defaultQuery', value: {} } }] })
    expect(result).toMatchObject([{ id: organization.id, name: 'Dossier' }])
    const elsewhere = { query: { case: 'nameQuery', value: { name: 'Else', method: 2 } } } as const
    expect((await organizations.listOrganizations({ queries: [elsewhere] })).result).toEqual([])
    expect((await settings.getGeneralSettings({})).defaultOrgId).toBe(organization.id)
    const { settings: login } = await settings.getLoginSettings({ ctx: { resourceOwner: { case: 'orgId', value: organization.id } } })
    expect(login).toMatchObject({ allowUsernamePassword: true, allowExternalIdp: false, passwordCheckLifetime: { seconds: 86_400n } })
    expect((await settings.getPasswordComplexitySettings({})).settings?.minLength).toBe(8n)
    expect((await settings.getActiveIdentityProviders({})).identityProviders).toEqual([])
    const foreign = settings.getLoginSettings({ ctx: { resourceOwner: { case: 'orgId', value: 'another' } } })
    expect(await failureOf(foreign)).toMatchObject({ code: Code.PermissionDenied })
    expect(await failureOf(settings.getBrandingSettings({}))).toMatchObject({ code: Code.Unimplemented })
    const { organizations: owner } = await clientsOf(idp, undefined, ['IAM_OWNER'])
    expect(await failureOf(owner.addOrganization({ name: 'Second' }))).toMatchObject({
      code: Code.Unimplemented,
      rawMessage: 'Dossier has one organization, to which everything belongs: there cannot be another',
    })
  })
})
