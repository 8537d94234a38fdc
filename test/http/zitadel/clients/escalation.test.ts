/** Nobody becomes who may do more: whoever manages users does nothing to those who manage more than they. */
import { ConnectError } from '@connectrpc/connect'
import { createManagementServiceClient } from '@zitadel/client/v1'
import { createUserServiceClient } from '@zitadel/client/v2'
import { KeyType } from '@zitadel/proto/zitadel/auth_n_key_pb.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UserId } from '#src/domain/users/user.ts'
import { type Idp, person, startIdp } from '../../../support/idp.ts'
import { managerOf, transports } from './api.ts'

const system = { kind: 'system' } as const
const [grpc] = transports
const profile = { givenName: 'A', familyName: 'B' }
const inAnHour = () => ({ seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 })

let idp: Idp
const clientsOf = (token: string) => {
  const transport = grpc?.open(idp.issuer, token) ?? expect.unreachable()
  return { users: createUserServiceClient(transport), management: createManagementServiceClient(transport) }
}
beforeAll(async () => {
  idp = await startIdp()
})
afterAll(() => idp[Symbol.asyncDispose]())

const messageOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: unknown) => ConnectError.from(error).message,
  )
const refusal = (id: string) => `[permission_denied] No matching permissions found (${id})`

type Clients = ReturnType<typeof clientsOf>

/** Everything that would make somebody another, or take them away. */
const attacks: Readonly<Record<string, (clients: Clients, userId: string) => Promise<unknown>>> = {
  'v2 SetPassword': ({ users }, userId) => users.setPassword({ userId, newPassword: { password: 'a long secret' } }),
  'v2 PasswordReset': ({ users }, userId) => users.passwordReset({ userId, medium: { case: 'returnCode', value: {} } }),
  'v2 SetEmail': ({ users }, userId) =>
    users.setEmail({ userId, email: 'mine@evil.example', verification: { case: 'isVerified', value: true } }),
  'v2 SendEmailCode': ({ users }, userId) => users.sendEmailCode({ userId, verification: { case: 'returnCode', value: {} } }),
  'v2 SetPhone': ({ users }, userId) => users.setPhone({ userId, phone: '+41791234567' }),
  'v2 RemovePhone': ({ users }, userId) => users.removePhone({ userId }),
  'v2 UpdateUser': ({ users }, userId) => users.updateUser({ userId, username: 'nobody' }),
  'v2 UpdateHumanUser': ({ users }, userId) => users.updateHumanUser({ userId, profile }),
  'v2 DeactivateUser': ({ users }, userId) => users.deactivateUser({ userId }),
  'v2 LockUser': ({ users }, userId) => users.lockUser({ userId }),
  'v2 AddPersonalAccessToken': ({ users }, userId) => users.addPersonalAccessToken({ userId, expirationDate: inAnHour() }),
  'v2 AddKey': ({ users }, userId) => users.addKey({ userId, expirationDate: inAnHour() }),
  'v2 AddSecret': ({ users }, userId) => users.addSecret({ userId }),
  'v2 RemoveSecret': ({ users }, userId) => users.removeSecret({ userId }),
  'v2 DeleteUser': ({ users }, userId) => users.deleteUser({ userId }),
  SetHumanPassword: ({ management }, userId) => management.setHumanPassword({ userId, password: 'a long secret' }),
  SetHumanInitialPassword: ({ management }, userId) => management.setHumanInitialPassword({ userId, password: 'a long secret' }),
  UpdateHumanEmail: ({ management }, userId) => management.updateHumanEmail({ userId, email: 'mine@evil.example', isEmailVerified: true }),
  UpdateHumanPhone: ({ management }, userId) => management.updateHumanPhone({ userId, phone: '+41791234567' }),
  UpdateHumanProfile: ({ management }, userId) =>
    management.updateHumanProfile({ userId, firstName: 'A', lastName: 'B', displayName: 'C' }),
  UpdateUserName: ({ management }, userId) => management.updateUserName({ userId, userName: 'nobody' }),
  UpdateMachine: ({ management }, userId) => management.updateMachine({ userId, name: 'nobody' }),
  DeactivateUser: ({ management }, id) => management.deactivateUser({ id }),
  LockUser: ({ management }, id) => management.lockUser({ id }),
  AddPersonalAccessToken: ({ management }, userId) => management.addPersonalAccessToken({ userId }),
  AddMachineKey: ({ management }, userId) => management.addMachineKey({ userId, type: KeyType.JSON }),
  GenerateMachineSecret: ({ management }, userId) => management.generateMachineSecret({ userId }),
  RemoveMachineSecret: ({ management }, userId) => management.removeMachineSecret({ userId }),
  RemoveUser: ({ management }, id) => management.removeUser({ id }),
}

test.each(Object.entries(attacks))('%s does nothing to those who manage more', async (name, attack) => {
  const { ownProjectId } = await idp.domain.catalogue.root()
  const clients = clientsOf((await managerOf(idp, ['ORG_USER_MANAGER'])).token)
  const machine = await managerOf(idp, ['IAM_OWNER'])
  const administrator = await idp.domain.users.create(person({ username: `admin-${Math.random()}`, admin: true }), system)
  const owner = await idp.domain.users.create(
    person({ username: `owner-${Math.random()}`, roles: { [ownProjectId]: ['ORG_OWNER'] } }),
    system,
  )
  for (const id of [machine.id as UserId, administrator.id, owner.id]) {
    const before = await idp.domain.users.get(id)
    expect(await messageOf(attack(clients, id))).toBe(refusal(name.startsWith('v2 ') ? 'AUTH-AWfge' : 'AUTH-5mWD2'))
    expect(await idp.domain.users.get(id)).toEqual(before)
  }
})

test('whoever holds as much may', async () => {
  const { ownProjectId } = await idp.domain.catalogue.root()
  const clients = clientsOf((await managerOf(idp, ['ORG_OWNER'])).token)
  const equal = await idp.domain.users.create(person({ username: 'equal', roles: { [ownProjectId]: ['ORG_USER_MANAGER'] } }), system)
  await clients.users.setPassword({ userId: equal.id, newPassword: { password: 'a long secret' } })
  await clients.management.removeUser({ id: equal.id })
})

test('nobody switches themselves off, so an administrator is always left', async () => {
  const owner = await managerOf(idp, ['IAM_OWNER'])
  const { users, management } = clientsOf(owner.token)
  for (const call of [users.deactivateUser, users.lockUser, users.deleteUser]) {
    expect(await messageOf(call({ userId: owner.id }))).toMatch(/^\[failed_precondition\]/)
  }
  for (const call of [management.deactivateUser, management.lockUser, management.removeUser]) {
    expect(await messageOf(call({ id: owner.id }))).toMatch(/^\[failed_precondition\]/)
  }
})
