/** The setting `selfManagedMetadata`: which metadata people change of themselves. */
import { Code, ConnectError } from '@connectrpc/connect'
import { createManagementServiceClient } from '@zitadel/client/v1'
import { createUserServiceClient } from '@zitadel/client/v2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import { type Idp, person, startIdp } from '../../../support/idp.ts'
import { managerOf, transports } from './api.ts'

const [grpc] = transports
const system = { kind: 'system' } as const
let idp: Idp
let userId: string
let token: string
beforeAll(async () => {
  idp = await startIdp()
  userId = (await idp.domain.users.create(person({ username: 'own' }), system)).id
  token = (await idp.domain.users.createToken(userId as typeof idp.jane.id, { name: 'own' }, system)).token
})
afterAll(() => idp[Symbol.asyncDispose]())

const users = (by = token) => createUserServiceClient(grpc?.open(idp.issuer, by) ?? expect.unreachable())
const secrets = { environment: () => undefined, file: () => undefined }
const apply = (settings: object) =>
  idp.domain.provisioning.apply(readConfigurationFile(JSON.stringify({ settings }), 'dossier.json', secrets), system)

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  )

const set = (...keys: string[]) =>
  failureOf(users().setUserMetadata({ userId, metadata: keys.map((key) => ({ key, value: Buffer.from('v') })) }))
const remove = (...keys: string[]) => failureOf(users().deleteUserMetadata({ userId, keys }))
const keys = async () => (await users().listUserMetadata({ userId, pagination: { asc: true } })).metadata.map(({ key }) => key)

test('without it, people change none of it', async () => {
  expect([await set('theme'), await set(), await remove('ContractNumber'), await remove()]).toEqual(Array(4).fill(Code.NotFound))
  expect(await keys()).toEqual(['ContractNumber'])
})

test('with it, people change what it names, all of it or nothing', async () => {
  await apply({ selfManagedMetadata: ['theme', 'prefs.*', '*.note.*'] })
  expect(await set('theme', 'prefs.language', 'prefs.', 'a.note.b')).toBeUndefined()
  for (const refused of [['theme', 'ContractNumber'], ['Theme'], ['theme2'], ['prefs'], ['my.prefs.x'], ['x.note'], ['note.']]) {
    expect(await set(...refused)).toBe(Code.NotFound)
  }
  expect(await remove('theme', 'ContractNumber')).toBe(Code.NotFound)
  expect(await keys()).toEqual(['ContractNumber', 'theme', 'prefs.language', 'prefs.', 'a.note.b'])
  expect(await remove('theme', 'prefs.')).toBeUndefined()
  expect(await set()).toBe(Code.FailedPrecondition)
})

test('it is about themselves, and takes nothing from those who manage users', async () => {
  await apply({ selfManagedMetadata: ['*'] })
  const other = { userId: idp.jane.id, metadata: [{ key: 'theme', value: Buffer.from('v') }] }
  expect(await failureOf(users().setUserMetadata(other))).toBe(Code.NotFound)
  const management = createManagementServiceClient(grpc?.open(idp.issuer, token) ?? expect.unreachable())
  expect(await failureOf(management.setUserMetadata({ id: userId, key: 'theme', value: Buffer.from('v') }))).toBe(Code.PermissionDenied)
  expect(await set('anything at all')).toBeUndefined()
  await apply({ selfManagedMetadata: false })
  expect(await set('anything at all')).toBe(Code.NotFound)
  const manager = await managerOf(idp, ['ORG_USER_MANAGER'])
  await users(manager.token).setUserMetadata(other)
  await users(manager.token).setUserMetadata({ ...other, userId: manager.id })
})
