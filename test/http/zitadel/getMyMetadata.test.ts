import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { organizationId, type Surface, startSurface } from './startSurface.ts'

let surface: Surface

beforeAll(async () => {
  surface = await startSurface()
})
afterAll(() => surface[Symbol.asyncDispose]())

const pathOf = (key: string) => `/auth/v1/users/me/metadata/${encodeURIComponent(key)}`

describe('one entry', () => {
  test('is answered byte for byte as ZITADEL answers it', async () => {
    await surface.set('P-ID', '12351983')
    const { status, headers, text } = await surface.get(pathOf('P-ID'))
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    expect(text).toBe(
      '{"metadata":{"details":{"sequence":"2","creationDate":"2023-06-21T16:01:53.829Z","changeDate":"2023-06-21T16:01:53.829Z",' +
        `"resourceOwner":"${organizationId}"},"key":"P-ID","value":"MTIzNTE5ODM="}}`,
    )
  })

  test('tells when it was changed, and by which change', async () => {
    await surface.set('changing', '1')
    const before = (await surface.get(pathOf('changing'))).json as { metadata: { details: Record<string, string> } }
    await surface.set('changing', '2')
    const after = (await surface.get(pathOf('changing'))).json as { metadata: { details: Record<string, string>; value: string } }
    expect(after.metadata.value).toBe('Mg==')
    expect(after.metadata.details.creationDate).toBe(before.metadata.details.creationDate)
    expect(after.metadata.details.changeDate).not.toBe(before.metadata.details.changeDate)
    expect(Number(after.metadata.details.sequence)).toBe(Number(before.metadata.details.sequence) + 1)
  })

  test('has its bytes in padded base64 of the standard alphabet', async () => {
    await surface.set('bytes', Buffer.from([0xfb, 0xff, 0xfe, 0x00]))
    expect((await surface.get(pathOf('bytes'))).json).toMatchObject({ metadata: { value: '+//+AA==' } })
  })

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'a.b',
    '$set',
    '_search',
    '_bulk',
    'a/b',
    'a b+c%d?e#f',
    '👩‍👩‍👧‍👦',
    'Größe',
    '..',
    '😀'.repeat(200),
    'a'.repeat(200),
  ])('is found by an odd key, in the path and in a search: %s', async (key) => {
    await surface.set(key, 'odd')
    expect((await surface.get(pathOf(key))).json).toMatchObject({ metadata: { key, value: 'b2Rk' } })
    const { json } = await surface.search({ queries: [{ keyQuery: { key, method: 'TEXT_QUERY_METHOD_EQUALS' } }] })
    expect(json).toMatchObject({ details: { totalResult: '1' }, result: [{ key, value: 'b2Rk' }] })
  })

  test('is named by the path alone, whatever the query says', async () => {
    await surface.set('named', 'x')
    const { json } = await surface.get(`${pathOf('named')}?key=other&unknown=1&a.b=2`)
    expect(json).toMatchObject({ metadata: { key: 'named' } })
  })
})

describe('no entry', () => {
  test.each(['nowhere', '__proto__x', 'p-id'])('is there under %s', async (key) => {
    const { status, text } = await surface.get(pathOf(key))
    expect(status).toBe(404)
    expect(text).toBe(
      '{"code":5,"message":"Metadata not found (QUERY-Rgh32)","details":[{"@type":"type.googleapis.com/zitadel.v1.ErrorDetail",' +
        '"id":"QUERY-Rgh32","message":"Metadata not found"}]}',
    )
  })

  test.each(['a'.repeat(201), '😀'.repeat(201)])('can be there under a key of more than 200 runes', async (key) => {
    const { status, text } = await surface.get(pathOf(key))
    expect(status).toBe(400)
    expect(text).toBe('{"code":3,"message":"invalid GetMyMetadataRequest.Key: value length must be between 1 and 200 runes, inclusive"}')
  })

  test('can be there under no key', async () => {
    const { status, text } = await surface.get('/auth/v1/users/me/metadata/')
    expect([status, text]).toEqual([404, '{"code":5,"message":"Not Found"}'])
  })

  test.each(['%ff', '%zz', '%', '%ed%a0%80'])('can be there under %s, which is no text', async (key) => {
    const { status, json } = await surface.get(`/auth/v1/users/me/metadata/${key}`)
    expect([status, json]).toMatchObject([400, { code: 3 }])
  })
})
