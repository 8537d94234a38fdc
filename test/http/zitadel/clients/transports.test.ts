/** ZITADEL's own client against the published methods, by each protocol. */
import { Code, ConnectError } from '@connectrpc/connect'
import { createAuthServiceClient, createManagementServiceClient } from '@zitadel/client/v1'
import { ErrorDetailSchema } from '@zitadel/proto/zitadel/message_pb.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Idp, startIdp } from '../../../support/idp.ts'
import { managerOf, transports } from './api.ts'

let idp: Idp
let manager: { id: string; token: string }
beforeAll(async () => {
  idp = await startIdp()
  manager = await managerOf(idp, ['ORG_USER_MANAGER'])
})
afterAll(() => idp[Symbol.asyncDispose]())

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('it was served'),
    (error: unknown) => error as ConnectError,
  )

describe.each(transports)('over $name', ({ open }) => {
  test('metadata is set, found, and removed', async () => {
    const client = createManagementServiceClient(open(idp.issuer, manager.token))
    const { id } = idp.jane
    const value = Buffer.from([0, 255, 10])
    const set = await client.setUserMetadata({ id, key: 'a/ä', value })
    expect(set.details?.sequence).toBeGreaterThan(0n)
    const { metadata } = await client.getUserMetadata({ id, key: 'a/ä' })
    expect(Buffer.from(metadata?.value ?? [])).toEqual(value)
    await client.bulkRemoveUserMetadata({ id, keys: ['a/ä'] })
    const refused = await failureOf(client.getUserMetadata({ id, key: 'a/ä' }))
    expect([refused.code, refused.rawMessage]).toEqual([Code.NotFound, 'Metadata not found (QUERY-Rgh32)'])
    expect(refused.findDetails(ErrorDetailSchema)).toMatchObject([{ id: 'QUERY-Rgh32', message: 'Metadata not found' }])
  })

  test('whoever is nobody, may not, asks for nonsense or for what is not served is told so', async () => {
    const mine = createAuthServiceClient(open(idp.issuer, manager.token))
    expect((await mine.listMyMetadata({})).result).toEqual([])
    const stranger = await managerOf(idp, [])
    const { id } = idp.jane
    const as = (token: string) => createManagementServiceClient(open(idp.issuer, token))
    expect(await failureOf(as('nobody').getUserMetadata({ id, key: 'k' }))).toMatchObject({
      code: Code.Unauthenticated,
      rawMessage: 'Token is invalid (AUTH-7fs1e)',
    })
    expect(await failureOf(as(stranger.token).getUserMetadata({ id, key: 'k' }))).toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: 'No matching permissions found (AUTH-5mWD2)',
    })
    expect(await failureOf(as(manager.token).getUserMetadata({ id, key: '' }))).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: 'invalid GetUserMetadataRequest.Key: value length must be between 1 and 200 runes, inclusive',
    })
    expect(await failureOf(as(manager.token).addOrg({ name: 'x' }))).toMatchObject({
      code: Code.Unimplemented,
      rawMessage: 'zitadel.management.v1.ManagementService/AddOrg is not served',
    })
  })

  test('a value of 500,000 bytes passes, one more does not, and a message over 2 MB is refused', async () => {
    const client = createManagementServiceClient(open(idp.issuer, manager.token))
    const { id } = idp.jane
    await client.setUserMetadata({ id, key: 'large', value: Buffer.alloc(500_000, 1) })
    expect(await failureOf(client.setUserMetadata({ id, key: 'large', value: Buffer.alloc(500_001) }))).toMatchObject({
      code: Code.InvalidArgument,
    })
    expect(await failureOf(client.setUserMetadata({ id, key: 'large', value: Buffer.alloc(2_200_000) }))).toBeInstanceOf(ConnectError)
  })
})
