import { type DescMethod, type MessageShape, toJson } from '@bufbuild/protobuf'
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { UserService } from '@zitadel/proto/zitadel/user/v2/user_service_pb.js'
import { describe, expect, test } from 'vitest'
import { type StatusError, statusOf } from '#src/http/zitadel/errors.ts'
import { published } from '#src/http/zitadel/published.ts'
import { createRoutes, segmentsOf } from '#src/http/zitadel/routes.ts'
import { readRequest } from '#src/http/zitadel/transcode.ts'
import { checkOf, validate } from '#src/http/zitadel/validate.ts'

const management = createRoutes('/management/v1', [ManagementService])
const users = createRoutes('', [UserService])

/** What a request is read as: the RPC with the JSON of its message, or the refusal. */
function read(method: string, address: string, body: unknown = '') {
  const [path = '', query = ''] = address.split('?')
  const table = path.startsWith('/v2/') ? users : management
  const { route, values } = table.find(method, segmentsOf(path).map(decodeURIComponent)) as Extract<
    ReturnType<typeof table.find>,
    { values: unknown }
  >
  try {
    const message = readRequest(route, { values, query, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) })
    validate(route.rpc.input, message)
    return [route.rpc.name, toJson(route.rpc.input, message as MessageShape<DescMethod['input']>)]
  } catch (error) {
    return (statusOf(error) as StatusError).message
  }
}

describe('a request is read by its descriptor', () => {
  test.each([
    ['standard base64', '+/8='],
    ['base64 for addresses', '-_8'],
    ['base64 without padding', '+/8'],
  ])('bytes may come in %s', (_, value) => {
    expect(read('POST', '/management/v1/users/7/metadata/a%2Fb', { value, id: 'from the body' })).toEqual([
      'SetUserMetadata',
      { id: '7', key: 'a/b', value: '+/8=' },
    ])
  })

  test('bytes that are not base64 are refused', () => {
    const fault = 'proto: (line 1:10): invalid value for bytes field value: "*"'
    expect(read('POST', '/management/v1/users/7/metadata/k', { value: '*' })).toBe(fault)
  })

  test('a DELETE may have a body', () => {
    expect(read('DELETE', '/management/v1/users/7/metadata/_bulk', { keys: ['a', 'b'] })).toEqual([
      'BulkRemoveUserMetadata',
      { id: '7', keys: ['a', 'b'] },
    ])
  })

  test('a repeated parameter of the query fills a list, and what is no field is passed over', () => {
    expect(read('DELETE', '/v2/users/7/metadata?keys=a%20b&nothing=1&keys=%F0%9F%90%88&user_id=8&userId=9')).toEqual([
      'DeleteUserMetadata',
      { userId: '7', keys: ['a b', '🐈'] },
    ])
  })

  test('parameters of the query lead into messages, and numbers and truth come as text', () => {
    const roles = '/management/v1/granted_projects/7/grants/8/roles/_search'
    expect(read('GET', `${roles}?query.limit=5&query.asc=true&query.offset=1&projectId=9&queries=x`)).toBe(
      'proto: syntax error (line 1:1): unexpected token "x"',
    )
    expect(read('GET', `${roles}?query.limit=5&query.asc=1&query.offset=1&projectId=9`)).toEqual([
      'ListGrantedProjectRoles',
      { projectId: '7', grantId: '8', query: { limit: 5, asc: true, offset: '1' } },
    ])
    expect(read('GET', `${roles}?query.limit=many`)).toBe('proto: (line 1:1): invalid value for uint32 field limit: "many"')
  })

  test.each(['SECOND_FACTOR_TYPE_OTP', '1'])('a variable of the path may name or number a value: %s', (type) => {
    expect(read('DELETE', `/management/v1/policies/login/second_factors/${type}`)).toEqual([
      'RemoveSecondFactorFromLoginPolicy',
      { type: 'SECOND_FACTOR_TYPE_OTP' },
    ])
  })

  test('a variable of the path that is no value is refused', () => {
    expect(read('DELETE', '/management/v1/policies/login/second_factors/nothing')).toBe(
      'proto: (line 1:1): invalid value for enum field type: "nothing"',
    )
  })

  test('the end of a path may be one variable', () => {
    expect(read('DELETE', '/management/v1/projects/7/roles/a/b/c')).toEqual(['RemoveProjectRole', { projectId: '7', roleKey: 'a/b/c' }])
  })

  test('values are held against the limits of the contract', () => {
    const at = '/management/v1/users/7/metadata'
    const tooLong = 'value length must be between 1 and 500000 bytes, inclusive'
    expect(read('POST', `${at}/k`, {})).toBe(`invalid SetUserMetadataRequest.Value: ${tooLong}`)
    expect(read('POST', `${at}/k`, { value: 'A'.repeat(666_668) })).toBe(`invalid SetUserMetadataRequest.Value: ${tooLong}`)
    expect(read('POST', `${at}/k`, { value: Buffer.alloc(500_000).toString('base64') })).toHaveLength(2)
    expect(read('DELETE', `${at}/_bulk`, { keys: ['a', 'b'.repeat(201)] })).toBe(
      'invalid BulkRemoveUserMetadataRequest.Keys[1]: value length must be between 1 and 200 runes, inclusive',
    )
    expect(read('POST', `${at}/_bulk`, { metadata: [{ key: 'k', value: 'QQ' }, { value: 'QQ' }] })).toBe(
      'invalid BulkSetUserMetadataRequest.Metadata[1]: embedded message failed validation | caused by: ' +
        'invalid BulkSetUserMetadataRequest_Metadata.Key: value length must be between 1 and 200 runes, inclusive',
    )
  })
})

describe('everything that is published', () => {
  test.each(published)('has the name that is said, and addresses and rules that are understood: $prefix', async ({ base, services }) => {
    const found = await Promise.all(services.map(({ load }) => load()))
    expect(found.map(({ typeName }) => typeName)).toEqual(services.map(({ name }) => name))
    expect(() => createRoutes(base, found)).not.toThrow()
    for (const { input } of found.flatMap(({ methods }) => methods)) expect(() => checkOf(input), input.typeName).not.toThrow()
  })
})
