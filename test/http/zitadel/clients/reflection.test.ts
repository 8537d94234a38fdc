/** What `grpcurl` does: ask which services there are, get their descriptors, and call one by what it got. */
import { createFileRegistry, type DescMethodUnary, type DescService, fromBinary, type JsonObject, toJson } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { createClient } from '@connectrpc/connect'
import { createServerTransport } from '@zitadel/client/node'
import { expect, test } from 'vitest'
import { grpcServices } from '#src/http/zitadel/grpcServices.ts'
import { startIdp } from '../../../support/idp.ts'
import { managerOf } from './api.ts'

const serviceNamed = (name: string) => grpcServices.find(({ typeName }) => typeName === name) as DescService

async function* one<T>(request: T) {
  yield request
}

test.each(['v1', 'v1alpha'])('a tool without descriptors finds out what is served, and calls it (%s)', async (version) => {
  await using idp = await startIdp()
  const { token } = await managerOf(idp, ['IAM_OWNER_VIEWER'])
  const transport = createServerTransport(token, { baseUrl: idp.issuer })
  const reflection = createClient(serviceNamed(`grpc.reflection.${version}.ServerReflection`), transport) as unknown as {
    serverReflectionInfo(requests: AsyncIterable<object>): AsyncIterable<{ messageResponse: { case: string; value: never } }>
  }
  const ask = async (kind: string, value: string) => {
    for await (const { messageResponse } of reflection.serverReflectionInfo(one({ messageRequest: { case: kind, value } })))
      return messageResponse
    return expect.unreachable()
  }
  const { service } = (await ask('listServices', '')).value as { service: { name: string }[] }
  const names = service.map(({ name }) => name)
  expect(names).toContain('grpc.health.v1.Health')
  expect(names).toContain('zitadel.user.v2.UserService')

  const symbol = 'zitadel.management.v1.ManagementService.GetUserMetadata'
  const { fileDescriptorProto } = (await ask('fileContainingSymbol', symbol)).value as { fileDescriptorProto: Uint8Array[] }
  const files = fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)).reverse()
  const sorted = inOrder(files)
  const registry = createFileRegistry({ $typeName: FileDescriptorSetSchema.typeName, file: sorted })
  const management = registry.getService('zitadel.management.v1.ManagementService')
  const rpc = management?.method.getUserMetadata as DescMethodUnary
  const client = createClient(management as never, transport) as unknown as Record<string, (request: object) => Promise<never>>
  const reply = await client.getUserMetadata?.({ id: idp.jane.id, key: 'ContractNumber' })
  expect((toJson(rpc.output, reply as never) as JsonObject).metadata).toMatchObject({ key: 'ContractNumber', value: 'MTIzNA==' })

  expect((await ask('fileByFilename', 'zitadel/metadata.proto')).case).toBe('fileDescriptorResponse')
  expect(await ask('fileContainingSymbol', 'nobody.Knows')).toMatchObject({ case: 'errorResponse', value: { errorCode: 5 } })
})

/** Files behind what they build on. */
function inOrder<T extends { name: string; dependency: string[] }>(files: readonly T[]): T[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  const sorted = new Set<T>()
  const take = (file: T) => {
    for (const name of file.dependency) take(byName.get(name) as T)
    sorted.add(file)
  }
  files.forEach(take)
  return [...sorted]
}

test('health is told to whoever asks, of the server and of a service', async () => {
  await using idp = await startIdp()
  const client = createClient(serviceNamed('grpc.health.v1.Health'), createServerTransport('', { baseUrl: idp.issuer })) as unknown as {
    check(request: object): Promise<{ status: number }>
    watch(request: object): AsyncIterable<{ status: number }>
  }
  expect((await client.check({})).status).toBe(1)
  expect((await client.check({ service: 'zitadel.user.v2.UserService' })).status).toBe(1)
  const byConnect = await fetch(idp.url('/grpc.health.v1.Health/Check'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  })
  expect(await byConnect.json()).toEqual({ status: 'SERVING' })
  await expect(client.check({ service: 'nobody' })).rejects.toMatchObject({ code: 5 })
  for await (const { status } of client.watch({})) {
    expect(status).toBe(1)
    break
  }
})
