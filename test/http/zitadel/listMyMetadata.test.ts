import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { organizationId, type Surface, startSurface } from './startSurface.ts'

let surface: Surface

beforeAll(async () => {
  surface = await startSurface()
  for (const key of ['P-ID', 'p-id', 'P-ID-2', 'contract', 'xP-ID', 'a%b', 'a_b', 'aXb']) await surface.set(key, key)
})
afterAll(() => surface[Symbol.asyncDispose]())

const keysOf = (json: unknown) => ((json as { result?: { key: string }[] }).result ?? []).map(({ key }) => key)
const keyQuery = (key: string, method?: unknown) => ({ keyQuery: { key, method } })
const find = async (...queries: unknown[]) => keysOf((await surface.search({ query: { asc: true }, queries })).json)

describe("the guide's request", () => {
  test('is answered byte for byte as ZITADEL answers it', async () => {
    const body =
      '{"query":{"offset":"0","limit":100,"asc":true},"queries":[{"keyQuery":{"key":"P-ID","method":"TEXT_QUERY_METHOD_EQUALS"}}]}'
    const { status, headers, text } = await surface.search(body)
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    expect(text).toBe(
      '{"details":{"totalResult":"1","processedSequence":"9","viewTimestamp":"2023-06-21T16:02:00.829Z"},' +
        '"result":[{"details":{"sequence":"2","creationDate":"2023-06-21T16:01:53.829Z","changeDate":"2023-06-21T16:01:53.829Z",' +
        `"resourceOwner":"${organizationId}"},"key":"P-ID","value":"UC1JRA=="}]}`,
    )
  })

  test('may be written in snake case, with numbers as text or as exponents', async () => {
    const query = { offset: 0, limit: '1e2', asc: true }
    const { status, json } = await surface.search({ query, queries: [{ key_query: { key: 'P-ID', method: 0 } }] })
    expect([status, keysOf(json)]).toEqual([200, ['P-ID']])
  })
})

describe('a key query', () => {
  test.each([
    ['EQUALS', 'P-ID', ['P-ID']],
    ['EQUALS_IGNORE_CASE', 'P-ID', ['P-ID', 'p-id']],
    ['STARTS_WITH', 'P-I', ['P-ID', 'P-ID-2']],
    ['STARTS_WITH_IGNORE_CASE', 'P-I', ['P-ID', 'p-id', 'P-ID-2']],
    ['CONTAINS', 'P-ID', ['P-ID', 'P-ID-2', 'xP-ID']],
    ['CONTAINS_IGNORE_CASE', 'p-id', ['P-ID', 'p-id', 'P-ID-2', 'xP-ID']],
    ['ENDS_WITH', 'P-ID', ['P-ID', 'xP-ID']],
    ['ENDS_WITH_IGNORE_CASE', 'p-id', ['P-ID', 'p-id', 'xP-ID']],
  ])('with %s finds the right keys, whether the method is named or numbered', async (method, key, expected) => {
    expect(await find(keyQuery(key, `TEXT_QUERY_METHOD_${method}`))).toEqual(expected)
    const number = ['EQUALS', 'EQUALS_IGNORE_CASE', 'STARTS_WITH', 'STARTS_WITH_IGNORE_CASE', 'CONTAINS'].indexOf(method)
    if (number >= 0) expect(await find(keyQuery(key, number))).toEqual(expected)
  })

  test('without a method means EQUALS, and null is as good as nothing', async () => {
    expect(await find(keyQuery('P-ID'))).toEqual(['P-ID'])
    expect(await find(keyQuery('P-ID', null))).toEqual(['P-ID'])
  })

  test('takes % and _ for themselves', async () => {
    expect(await find(keyQuery('%', 4))).toEqual(['a%b'])
    expect(await find(keyQuery('a_b', 5))).toEqual(['a_b'])
  })

  test('narrows what another one finds', async () => {
    expect(await find(keyQuery('P-ID', 4), keyQuery('x', 2))).toEqual(['xP-ID'])
    expect(await find(keyQuery('P-ID'), keyQuery('p-id'))).toEqual([])
  })

  test('for the empty key is allowed', async () => {
    expect(await find(keyQuery('', 'TEXT_QUERY_METHOD_CONTAINS'))).toHaveLength(8)
    expect(await find(keyQuery(''))).toEqual([])
  })
})

describe('a list', () => {
  test('without anything asked has everything, newest first', async () => {
    for (const body of [undefined, '', {}, { queries: [] }, { query: null, queries: null }]) {
      const { status, json } = await surface.search(body)
      expect(status).toBe(200)
      expect(keysOf(json)).toEqual(['aXb', 'a_b', 'a%b', 'xP-ID', 'contract', 'P-ID-2', 'p-id', 'P-ID'])
      expect(json).toMatchObject({ details: { totalResult: '8', processedSequence: '9' } })
    }
  })

  test('is cut by offset and limit, and still tells how many there are', async () => {
    const { json } = await surface.search({ query: { offset: '1', limit: 2, asc: true } })
    expect(keysOf(json)).toEqual(['p-id', 'P-ID-2'])
    expect(json).toMatchObject({ details: { totalResult: '8' } })
  })

  test.each([8, '1000000', '18446744073709551615'])('from offset %s on, past its end, has no rows but its total', async (offset) => {
    const { status, text } = await surface.search({ query: { offset } })
    expect(status).toBe(200)
    expect(text).toBe('{"details":{"totalResult":"8","processedSequence":"9","viewTimestamp":"2023-06-21T16:02:00.829Z"}}')
  })

  test('in which nothing is found tells no total and no result', async () => {
    const { text } = await surface.search({ queries: [keyQuery('nowhere')] })
    expect(text).toBe('{"details":{"processedSequence":"9","viewTimestamp":"2023-06-21T16:02:00.829Z"}}')
  })

  test.each([
    [0, 200],
    [1000, 200],
    [1001, 400],
    [4294967295, 400],
  ])('of limit %i is answered with %i', async (limit, status) => {
    const reply = await surface.search({ query: { limit } })
    expect(reply.status).toBe(status)
    if (status === 200) expect(keysOf(reply.json)).toHaveLength(8)
    else {
      expect(reply.text).toBe(
        '{"code":3,"message":"Limit exceeded (QUERY-4M0fs)","details":[{"@type":"type.googleapis.com/zitadel.v1.ErrorDetail",' +
          '"id":"QUERY-4M0fs","message":"Limit exceeded"}]}',
      )
    }
  })

  test('of more than 100 queries is refused', async () => {
    const reply = await surface.search({ queries: Array.from({ length: 101 }, () => keyQuery('a')) })
    expect([reply.status, reply.json]).toMatchObject([400, { code: 3, message: 'Limit exceeded (QUERY-4M0fs)' }])
  })

  test('ignores fields that it does not know, wherever they are', async () => {
    const body =
      '{"newField":{"x":[1]},"__proto__":1,"query":{"sortBy":"KEY","asc":true,"constructor":2},"queries":[{"keyQuery":{"key":"P-ID","prefix":true}}]}'
    const { status, json } = await surface.search(body)
    expect([status, keysOf(json)]).toEqual([200, ['P-ID']])
  })
})

describe('a request that is not one', () => {
  const embedded = 'embedded message failed validation | caused by: '
  test.each([
    ['{"queries":[{}]}', `invalid ListMyMetadataRequest.Queries[0]: ${embedded}invalid MetadataQuery.Query: value is required`],
    [
      '{"queries":[{"keyQuery":{}},{"newQuery":{}}]}',
      `invalid ListMyMetadataRequest.Queries[1]: ${embedded}invalid MetadataQuery.Query: value is required`,
    ],
    [
      '{"queries":[{"keyQuery":{"method":8}}]}',
      `invalid ListMyMetadataRequest.Queries[0]: ${embedded}invalid MetadataQuery.KeyQuery: ${embedded}` +
        'invalid MetadataKeyQuery.Method: value must be one of the defined enum values',
    ],
    [
      JSON.stringify({ queries: [{ keyQuery: { key: '🐈'.repeat(201) } }] }),
      `invalid ListMyMetadataRequest.Queries[0]: ${embedded}invalid MetadataQuery.KeyQuery: ${embedded}` +
        'invalid MetadataKeyQuery.Key: value length must be at most 200 runes',
    ],
    ['{"queries":[{"keyQuery":{"key":"P","method":"EQUALS"}}]}', 'proto: (line 1:45): invalid value for enum field method: "EQUALS"'],
    ['{"unknown":1,\n"queries":[{"key_query":{"method":"FOO"}}]}', 'proto: (line 2:35): invalid value for enum field method: "FOO"'],
    ['{"queries":[{"keyQuery":{"method":  "F\\u004fO"}}]}', 'proto: (line 1:37): invalid value for enum field method: "FOO"'],
    [
      '{"queries":[{"keyQuery":{"method":0}},{"keyQuery":{"method":"BAR"}}]}',
      'proto: (line 1:61): invalid value for enum field method: "BAR"',
    ],
    ['{"query":{"offset":"abc"}}', 'proto: (line 1:20): invalid value for uint64 field offset: "abc"'],
    ['{"query":{"offset":-1}}', 'proto: (line 1:20): invalid value for uint64 field offset: -1'],
    ['{"query":{"limit":1.5}}', 'proto: (line 1:19): invalid value for uint32 field limit: 1.5'],
    ['{"query":{"asc":"true"}}', 'proto: (line 1:17): invalid value for bool field asc: "true"'],
    ['{"queries":[{"keyQuery":{"key":5}}]}', 'proto: (line 1:32): invalid value for string field key: 5'],
    ['{"queries":{}}', 'proto: syntax error (line 1:12): unexpected token {'],
    ['{"queries":[null]}', 'proto: syntax error (line 1:13): unexpected token null'],
    ['{"query":7}', 'proto: syntax error (line 1:10): unexpected token 7'],
    ['[]', 'proto: syntax error (line 1:1): unexpected token ['],
    ['null', 'proto: syntax error (line 1:1): unexpected token null'],
    ['"text"', 'proto: syntax error (line 1:1): unexpected token "text"'],
    ['{', 'unexpected EOF'],
    ['{"query', 'unexpected EOF'],
    [' ', 'unexpected EOF'],
    ['nonsense', "invalid character 'o' looking for beginning of value"],
    ['{query:1}', "invalid character 'q' looking for beginning of object key string"],
    ['{"query":{} "queries":[]}', `invalid character '"' after object key:value pair`],
    ['{"queries":[{}{}]}', "invalid character '{' after array element"],
    ['{}{}', "invalid character '{' after top-level value"],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'proto: syntax error: invalid UTF-8 in string'],
    ['{"queries":[{"keyQuery":{"key":"\\ud800"}}]}', 'proto: (line 1:32): invalid value for string field key: "\\ud800"'],
    [`{"x":${'['.repeat(90)}${']'.repeat(90)}}`, 'exceeded max depth'],
    ['['.repeat(90_000), 'exceeded max depth'],
  ])('is refused in the words of Go: %j', async (body, message) => {
    const { status, json } = await surface.search(body)
    expect(json).toEqual({ code: 3, message })
    expect(status).toBe(400)
  })

  test('gives the same field twice', async () => {
    const { status, json } = await surface.search({ queries: [{ keyQuery: { key: 'a' }, key_query: { key: 'b' } }] })
    expect([status, json]).toMatchObject([400, { code: 3, message: expect.stringMatching(/^proto: /) }])
  })

  test('may have brackets without end in its strings', async () => {
    const { status } = await surface.search({ queries: [keyQuery('[{"\\'.repeat(40))] })
    expect(status).toBe(200)
  })
})
