/** An administrator is always left, and nothing of what managers have is given away. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { ConnectError } from '@connectrpc/connect'
import { createClientFor } from '@zitadel/client'
import { createManagementServiceClient } from '@zitadel/client/v1'
import { createUserServiceClient } from '@zitadel/client/v2'
import { ActionService } from '@zitadel/proto/zitadel/action/v2beta/action_service_pb.js'
import { AuthorizationService } from '@zitadel/proto/zitadel/authorization/v2beta/authorization_service_pb.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UserId } from '#src/domain/users/user.ts'
import { type Idp, startIdp } from '../../../support/idp.ts'
import { managerOf, transports } from './api.ts'

let idp: Idp
let ownProjectId: string
beforeAll(async () => {
  idp = await startIdp()
  ownProjectId = (await idp.domain.catalogue.root()).ownProjectId
})
afterAll(() => idp[Symbol.asyncDispose]())

const transportOf = (token: string) => transports[0]?.open(idp.issuer, token) ?? expect.unreachable()
const managementOf = (token: string) => createManagementServiceClient(transportOf(token))
const messageOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: unknown) => ConnectError.from(error).message,
  )

test('nobody takes from themselves what they manage by', async () => {
  const owner = await managerOf(idp, ['IAM_OWNER'])
  const grantId = `${owner.id}-${ownProjectId}`
  const management = managementOf(owner.token)
  const authorizations = createClientFor(AuthorizationService)(transportOf(owner.token))
  const attempts = [
    management.removeUserGrant({ userId: owner.id, grantId }),
    management.deactivateUserGrant({ userId: owner.id, grantId }),
    management.updateUserGrant({ userId: owner.id, grantId, roleKeys: ['ORG_OWNER'] }),
    management.bulkRemoveUserGrant({ grantId: [grantId] }),
    authorizations.deleteAuthorization({ id: grantId }),
    authorizations.deactivateAuthorization({ id: grantId }),
    management.deactivateUser({ id: owner.id }),
    management.removeUser({ id: owner.id }),
  ].map(messageOf)
  for (const attempt of attempts) expect(await attempt).toContain('You cannot do this to yourself')
  expect((await idp.domain.users.get(owner.id as UserId)).roles[ownProjectId]).toEqual(['IAM_OWNER'])
})

test('of two administrators who shut each other out at once, one stays', async () => {
  for (let round = 0; round < 4; round += 1) {
    const [one, two] = [await managerOf(idp, ['IAM_OWNER']), await managerOf(idp, ['IAM_OWNER'])]
    await Promise.all([
      messageOf(managementOf(one.token).deactivateUser({ id: two.id })),
      messageOf(managementOf(two.token).removeUserGrant({ userId: one.id, grantId: `${one.id}-${ownProjectId}` })),
    ])
    const [first, second] = await Promise.all([one, two].map(({ id }) => idp.domain.users.get(id as UserId)))
    const isOwner = (user: typeof first) => user?.state === 'active' && user.roles[ownProjectId]?.includes('IAM_OWNER')
    expect([first, second].filter(isOwner)).toHaveLength(1)
  }
})

test('whoever manages users sets no metadata of those who manage more', async () => {
  const manager = managementOf((await managerOf(idp, ['ORG_USER_MANAGER'])).token)
  const { id } = await managerOf(idp, ['IAM_OWNER'])
  const value = Buffer.from('x')
  const attempts = [
    manager.setUserMetadata({ id, key: 'a', value }),
    manager.bulkSetUserMetadata({ id, metadata: [{ key: 'a', value }] }),
    manager.removeUserMetadata({ id, key: 'a' }),
    manager.bulkRemoveUserMetadata({ id, keys: ['a'] }),
  ].map(messageOf)
  for (const attempt of attempts) expect(await attempt).toContain('No matching permissions found (AUTH-5mWD2)')
  expect((await idp.domain.users.findWithMetadata(id as UserId))?.metadata).toEqual([])
  await manager.setUserMetadata({ id: idp.jane.id, key: 'a', value })
})

test('a service account has tokens of its own, and sees no others', async () => {
  const account = await managerOf(idp, [])
  const users = createUserServiceClient(transportOf(account.token))
  const expirationDate = { seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 }
  const { tokenId } = await users.addPersonalAccessToken({ userId: account.id, expirationDate })
  const ofUser = (id: string) => [{ filter: { case: 'userIdFilter', value: { id } } }] as const
  const { result } = await users.listPersonalAccessTokens({ filters: [...ofUser(account.id)] })
  expect(result.map(({ id }) => id)).toContain(tokenId)
  const other = await managerOf(idp, [])
  expect(await messageOf(users.listPersonalAccessTokens({ filters: [...ofUser(other.id)] }))).toContain('membership not found')
  expect(await messageOf(users.listPersonalAccessTokens({ filters: [...ofUser(other.id), ...ofUser(account.id)] }))).toContain(
    'membership not found',
  )
  expect(await messageOf(users.addPersonalAccessToken({ userId: other.id, expirationDate }))).toContain('membership not found')
  await users.removePersonalAccessToken({ userId: account.id, tokenId })
})

test('whoever only looks is not told the keys by which calls are signed', async () => {
  const actionsOf = async (role: string) => createClientFor(ActionService)(transportOf((await managerOf(idp, [role])).token))
  const owner = await actionsOf('IAM_OWNER')
  const targetType = { case: 'restWebhook', value: { interruptOnError: false } } as const
  const { id, signingKey } = await owner.createTarget({ name: 'keyed', endpoint: 'https://a.example/', targetType })
  expect((await owner.getTarget({ id })).target?.signingKey).toBe(signingKey)
  const viewer = await actionsOf('IAM_OWNER_VIEWER')
  expect((await viewer.getTarget({ id })).target).toMatchObject({ name: 'keyed', signingKey: '' })
  expect((await viewer.listTargets({})).targets.map((target) => target.signingKey)).toEqual([''])
})

test('an organization that is not there is refused by all APIs', async () => {
  const { token } = await managerOf(idp, ['IAM_OWNER'])
  const list = (organization: string) =>
    fetch(idp.url('/v2/users'), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-zitadel-orgid': organization },
      body: '{}',
    })
  expect((await list('12345')).status).toBe(403)
  expect((await list((await idp.domain.catalogue.root()).organization.id)).status).toBe(200)
})

test('services that Dossier has not are told to be so', async () => {
  for (const path of ['/system/v1/instances/_search', '/resources/v3alpha/users/_search', '/resources/v3alpha/user_schemas/_search']) {
    const reply = await fetch(idp.url(path), { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
    expect([reply.status, ((await reply.json()) as { code: number }).code]).toEqual([501, 12])
  }
  const reply = await fetch(idp.url('/zitadel.analytics.v2beta.TelemetryService/ReportBaseInformation'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(reply.status).toBe(501)
})

test('what Node cannot read as HTTP is answered, and not logged with its token', async () => {
  const { token } = await managerOf(idp, [])
  const socket = connect(idp.port, 'localhost')
  socket.write(
    `DELETE /auth/v1/users/me/phone HTTP/1.1\r\nHost: ${new URL(idp.issuer).host}\r\nAuthorization: Bearer ${token}\r\n\r\n{}\r\nclient_secret=TOPSECRET\r\n\r\n`,
  )
  expect(await text(socket)).toContain('HTTP/1.1 400')
  const log = idp.log.join('')
  const bytes = [...Buffer.from(token)].join()
  for (const secret of [token, bytes, 'TOPSECRET', [...Buffer.from('TOPSECRET')].join()]) expect(log).not.toContain(secret)
  expect(log).not.toContain('"level":50')
})

test('after a request that is too large the next one on its connection is answered', async () => {
  const { token } = await managerOf(idp, ['IAM_OWNER'])
  const web = transports[1]?.open(idp.issuer, token) ?? expect.unreachable()
  const management = createManagementServiceClient(web)
  const value = Buffer.alloc(490_000, 'x')
  const metadata = Array.from({ length: 8 }, (_, index) => ({ key: `k${index}`, value }))
  expect(await messageOf(management.bulkSetUserMetadata({ id: idp.jane.id, metadata }))).not.toBe('done')
  const { user } = await management.getUserByID({ id: idp.jane.id })
  expect(user?.id).toBe(idp.jane.id)
}, 15_000)
