/** Looking for users by both of ZITADEL's APIs. */
import { Code, ConnectError } from '@connectrpc/connect'
import { createClientFor } from '@zitadel/client'
import { createManagementServiceClient } from '@zitadel/client/v1'
import { UserFieldName } from '@zitadel/proto/zitadel/user/v2/query_pb.js'
import type { ListUsersRequest } from '@zitadel/proto/zitadel/user/v2/user_service_pb.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UserService } from '#src/http/zitadel/user/service.ts'
import { type Idp, startIdp } from '../../../support/idp.ts'
import { findMongodb } from '../../../support/mongodb.ts'
import { managerOf, transports } from './api.ts'

const mongodb = await findMongodb()
const stores = [{ name: 'SQLite', store: undefined }, ...(mongodb ? [{ name: 'MongoDB', store: () => mongodb.newDatabase() }] : [])]
const [grpc] = transports

const system = { kind: 'system' } as const
const people = [
  { username: 'ada', givenName: 'Ada', familyName: 'Lovelace', email: 'ada@engine.example', metadata: { team: 'red', level: '1' } },
  { username: 'bob', givenName: 'Bob', familyName: 'Babbage', email: 'bob@engine.example', metadata: { team: 'blue', level: '2' } },
  { username: 'cyd', givenName: 'Cyd', familyName: 'Lovelace', email: 'cyd@other.example', metadata: { team: 'blue', level: '1' } },
  { username: 'dee', givenName: 'Dee', familyName: 'Doe', email: 'dee@other.example', metadata: { side: 'red' } },
]

const text = (value: string) => Buffer.from(value)
const keyIs = (key: string, method = 0) => ({ case: 'metadataKeyFilter', value: { key, method } })
const valueIs = (value: string, method: 0 | 1 = 0) => ({ case: 'metadataValueFilter', value: { value: text(value), method } })
const any = (...queries: object[]) => ({ case: 'orQuery', value: { queries: queries.map((query) => ({ query })) } })
const all = (...queries: object[]) => ({ case: 'andQuery', value: { queries: queries.map((query) => ({ query })) } })
const not = (query: object) => ({ case: 'notQuery', value: { query: { query } } })

describe.each(stores)('on $name', ({ store }) => {
  let idp: Idp
  let open: (token: string) => ReturnType<ReturnType<typeof createClientFor<typeof UserService>>>
  let users: ReturnType<typeof open>
  let management: ReturnType<typeof createManagementServiceClient>
  let organizationId: string
  const ids: Record<string, string> = {}

  beforeAll(async () => {
    idp = await startIdp(store ? { store: store() } : {})
    for (const { username, metadata, ...profile } of people) {
      const entries = Object.entries(metadata).map(([key, value]) => ({ key, value: text(value) }))
      ids[username] = (await idp.domain.users.create({ kind: 'human', username, profile, metadata: entries }, system)).id
    }
    const { token } = await managerOf(idp, ['IAM_OWNER_VIEWER'])
    const transport = grpc?.open(idp.issuer, token)
    if (!transport) throw new Error('no transport')
    users = createClientFor(UserService)(transport)
    management = createManagementServiceClient(transport)
    organizationId = (await idp.domain.catalogue.root()).organization.id
  })
  afterAll(() => idp[Symbol.asyncDispose]())

  /** Those of the four who are found, in the order of their names. */
  async function found(...queries: object[]): Promise<string> {
    const asked = queries.map((query) => ({ query })) as unknown as ListUsersRequest['queries']
    const { result } = await users.listUsers({ queries: asked, sortingColumn: UserFieldName.USER_NAME, query: { asc: true } })
    const names = result.map(({ username }) => username)
    return names.filter((name) => Object.hasOwn(ids, name)).join(' ')
  }

  test.each<[string, () => object[], string]>([
    ['a username', () => [{ case: 'userNameQuery', value: { userName: 'ada' } }], 'ada'],
    ['a login name, without case', () => [{ case: 'loginNameQuery', value: { loginName: 'ADA', method: 1 } }], 'ada'],
    ['a given name', () => [{ case: 'firstNameQuery', value: { firstName: 'B', method: 2 } }], 'bob'],
    ['a family name', () => [{ case: 'lastNameQuery', value: { lastName: 'Lovelace' } }], 'ada cyd'],
    ['an address', () => [{ case: 'emailQuery', value: { emailAddress: '@other.example', method: 6 } }], 'cyd dee'],
    ['addresses', () => [{ case: 'inUserEmailsQuery', value: { userEmails: ['ADA@engine.example', 'x@y.example'] } }], 'ada'],
    ['ids', () => [{ case: 'inUserIdsQuery', value: { userIds: [ids.bob, ids.dee, 'nobody'] } }], 'bob dee'],
    ['a type', () => [{ case: 'typeQuery', value: { type: 1 } }], 'ada bob cyd dee'],
    ['a state', () => [{ case: 'stateQuery', value: { state: 1 } }], 'ada bob cyd dee'],
    ['a state that nobody has', () => [{ case: 'stateQuery', value: { state: 5 } }], ''],
    ['another organization', () => [{ case: 'organizationIdQuery', value: { organizationId: '7' } }], ''],
    ['a key of metadata', () => [keyIs('team')], 'ada bob cyd'],
    ['a value of metadata', () => [valueIs('red')], 'ada dee'],
    ['a value at a key', () => [keyIs('team'), valueIs('red')], 'ada'],
    ['another value at a key', () => [keyIs('team'), valueIs('red', 1)], 'bob cyd'],
    ['a value at each of two keys', () => [keyIs('team'), valueIs('blue'), keyIs('level'), valueIs('1')], 'cyd'],
    ['a key or a value', () => [any(keyIs('side'), valueIs('2'))], 'bob dee'],
    ['not a key', () => [not(keyIs('team')), { case: 'typeQuery', value: { type: 1 } }], 'dee'],
    [
      'what is deep',
      () => [any(all({ case: 'lastNameQuery', value: { lastName: 'Lovelace' } }, not(all(keyIs('team'), valueIs('red')))), keyIs('side'))],
      'cyd dee',
    ],
  ])('by %s', async (_, queries, expected) => {
    expect(await found(...queries())).toBe(expected)
  })

  test('in the order that is asked for, a part at a time, with the number of all', async () => {
    const human = [{ query: { case: 'inUserIdsQuery', value: { userIds: Object.values(ids) } } }] as const
    const page = async (sortingColumn: UserFieldName, query: object) => {
      const { result, details } = await users.listUsers({ queries: [...human], sortingColumn, query })
      return `${result.map(({ username }) => username).join(' ')} of ${details?.totalResult}`
    }
    expect(await page(UserFieldName.CREATION_DATE, {})).toBe('dee cyd bob ada of 4')
    expect(await page(UserFieldName.UNSPECIFIED, { asc: true })).toBe('ada bob cyd dee of 4')
    expect(await page(UserFieldName.LAST_NAME, { asc: true, limit: 2 })).toBe('bob dee of 4')
    expect(await page(UserFieldName.EMAIL, { limit: 2, offset: 1n })).toBe('cyd bob of 4')
    expect(await page(UserFieldName.USER_NAME, { offset: 2n ** 64n - 1n })).toBe(' of 4')
  })

  test('not without bounds', async () => {
    const refused = async (query: object, more: object = {}) => {
      const call = users.listUsers({ queries: [{ query }] as unknown as ListUsersRequest['queries'], ...more })
      const error = await call.then(
        () => undefined,
        (reason) => ConnectError.from(reason),
      )
      return error && [error.code, error.rawMessage]
    }
    const limit = [Code.InvalidArgument, 'Limit exceeded (QUERY-4M0fs)']
    expect(await refused(any(...Array.from({ length: 99 }, () => keyIs('team'))))).toBeUndefined()
    expect(await refused(any(...Array.from({ length: 100 }, () => keyIs('team'))))).toEqual(limit)
    const deep = (levels: number) => Array.from({ length: levels }).reduce<object>((inner) => not(inner), keyIs('team'))
    expect(await refused(deep(19))).toBeUndefined()
    expect(await refused(deep(20))).toEqual(limit)
    expect(await refused({ case: 'notQuery', value: {} })).toEqual([Code.InvalidArgument, 'List query is invalid (QUERY-Ht3Gq)'])
    expect(await refused(keyIs('team'), { query: { limit: 1001 } })).toEqual(limit)
    expect(await refused(keyIs('team', 9))).toEqual([Code.InvalidArgument, expect.any(String)])
    expect(await refused(valueIs('x'.repeat(201)))).toEqual([Code.InvalidArgument, expect.any(String)])
  })

  test('by the first API', async () => {
    const { result, details } = await management.listUsers({
      queries: [
        { query: { case: 'orQuery', value: { queries: [{ query: { case: 'lastNameQuery', value: { lastName: 'Lovelace' } } }] } } },
      ],
      sortingColumn: 2,
      query: { asc: true, limit: 1, offset: 1n },
    })
    expect(result.map(({ userName }) => userName)).toEqual(['cyd'])
    expect(details?.totalResult).toBe(2n)
    const { user } = await management.getUserByLoginNameGlobal({ loginName: 'ADA' })
    expect(user).toMatchObject({ id: ids.ada, userName: 'ada', details: { resourceOwner: organizationId } })
    const unique = async (userName: string, email: string) => (await management.isUserUnique({ userName, email })).isUnique
    expect(await Promise.all([unique('Ada', ''), unique('eve', 'ADA@engine.example'), unique('eve', 'eve@engine.example')])).toEqual([
      false,
      false,
      true,
    ])
  })
})

test('queries deeper than any parser goes are a refusal, not a failure', async () => {
  await using idp = await startIdp()
  const { token } = await managerOf(idp, ['IAM_OWNER'])
  for (const levels of [500, 3000]) {
    const body = `{"queries":[${'{"notQuery":{"query":'.repeat(levels)}{"typeQuery":{"type":1}}${'}}'.repeat(levels)}]}`
    const reply = await fetch(idp.url('/v2/users'), {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body,
    })
    expect([reply.status, await reply.json()]).toMatchObject([400, { code: 3 }])
  }
})
