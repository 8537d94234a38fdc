/**
 * The curl lines of ZITADEL's user-metadata guide and of the reference pages of the metadata calls, as they stand there, with the bytes that come back (contracts/zitadel.md,
 * sections 1 to 6). ZITADEL puts optional blanks into its JSON, which are taken out here.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Surface, startSurface } from './startSurface.ts'

const jane = '65f000000000000000000001'
const org = '170086363054473473'
const v1 = `/management/v1/users/${jane}/metadata`
const v2 = `/v2/users/${jane}/metadata`

let surface: Surface
beforeAll(async () => {
  surface = await startSurface()
})
afterAll(() => surface[Symbol.asyncDispose]())

const changed = (sequence: number, time: string) => ({ details: { sequence: `${sequence}`, changeDate: time, resourceOwner: org } })
const at = (second: number) => new Date(Date.UTC(2023, 5, 21, 16, 1, 52 + second, 829)).toISOString()
const entry = (sequence: number, time: string, key: string, value: string) => ({
  details: { sequence: `${sequence}`, creationDate: time, changeDate: time, resourceOwner: org },
  key,
  value,
})
const refused = (code: number, text: string, id: string) => ({
  code,
  message: `${text} (${id})`,
  details: [{ '@type': 'type.googleapis.com/zitadel.v1.ErrorDetail', id, message: text }],
})

/** In the order in which they are sent; the clock moves a second before each. */
const lines: readonly (readonly [method: string, path: string, body: unknown, status: number, reply: unknown])[] = [
  // The guide: Set, then get and search, with a manager's token.
  ['POST', `${v1}/favoriteColor`, { value: 'Ymx1ZQ==' }, 200, { details: { sequence: '2', creationDate: at(1), resourceOwner: org } }],
  ['GET', `${v1}/favoriteColor`, undefined, 200, { metadata: entry(2, at(1), 'favoriteColor', 'Ymx1ZQ==') }],
  ['GET', `${v1}/nothing`, undefined, 404, refused(5, 'Metadata not found', 'QUERY-Rgh32')],
  [
    'POST',
    `${v1}/_bulk`,
    {
      metadata: [
        { key: 'my-key', value: 'VGhpcyBpcyBteSB0ZXN0IHZhbHVl' },
        { key: 'ContractNumber', value: 'MTIzNA' },
      ],
    },
    200,
    changed(4, at(4)),
  ],
  // What is there already is no change, and takes no number.
  ['POST', `${v1}/ContractNumber`, { value: 'MTIzNA==' }, 200, { details: { sequence: '4', creationDate: at(5), resourceOwner: org } }],
  [
    'POST',
    `${v1}/_search`,
    { query: { offset: '0', limit: 100, asc: true }, queries: [{ keyQuery: { key: 'my-key', method: 'TEXT_QUERY_METHOD_EQUALS' } }] },
    200,
    {
      details: { totalResult: '1', processedSequence: '4', viewTimestamp: at(4) },
      result: [entry(3, at(4), 'my-key', 'VGhpcyBpcyBteSB0ZXN0IHZhbHVl')],
    },
  ],
  ['POST', `${v1}/_bulk`, { metadata: [] }, 400, refused(9, 'Metadata list is empty', 'META-9mm2d')],
  [
    'POST',
    `${v1}/_bulk`,
    {
      metadata: [
        { key: 'a', value: 'YQ==' },
        { key: 'b', value: '' },
      ],
    },
    400,
    {
      code: 3,
      message:
        'invalid BulkSetUserMetadataRequest.Metadata[1]: embedded message failed validation | caused by: invalid BulkSetUserMetadataRequest_Metadata.Value: value length must be between 1 and 500000 bytes, inclusive',
    },
  ],
  ['DELETE', `${v1}/_bulk`, { keys: ['my-key', 'nothing'] }, 404, refused(5, 'One or more keys do not exist', 'META-2nnds')],
  ['DELETE', `${v1}/_bulk`, { keys: ['my-key'] }, 200, changed(5, at(10))],
  ['DELETE', `${v1}/my-key`, undefined, 404, refused(5, 'Metadata not found', 'META-ncnw3')],
  ['DELETE', `${v1}/favoriteColor`, undefined, 200, changed(6, at(12))],
  ['PUT', `${v1}/favoriteColor`, { value: 'Ymx1ZQ==' }, 405, { code: 12, message: 'Method Not Allowed' }],
  [
    'POST',
    '/management/v1/users/65f0000000000000000000aa/metadata/k',
    { value: 'YQ==' },
    400,
    refused(9, 'User could not be found', 'COMMAND-uXHNj'),
  ],
  // The second version.
  [
    'POST',
    v2,
    {
      metadata: [
        { key: 'theme', value: 'ZGFyaw==' },
        { key: 'ContractNumber', value: 'NTY3OA==' },
      ],
    },
    200,
    { setDate: at(15) },
  ],
  [
    'POST',
    `${v2}/search`,
    {
      pagination: { limit: 100, asc: true },
      filters: [{ keyFilter: { key: 'contract', method: 'TEXT_FILTER_METHOD_STARTS_WITH_IGNORE_CASE' } }],
    },
    200,
    {
      pagination: { totalResult: '1', appliedLimit: '100' },
      metadata: [{ creationDate: at(4), changeDate: at(15), key: 'ContractNumber', value: 'NTY3OA==' }],
    },
  ],
  ['POST', `${v2}/search`, { pagination: { limit: 1001 } }, 400, refused(3, 'Limit exceeded', 'QUERY-4M0fs')],
  ['DELETE', `${v2}?keys=theme&keys=ContractNumber`, undefined, 200, { deletionDate: at(18) }],
  ['DELETE', `${v2}?keys=theme`, undefined, 404, refused(5, 'One or more keys do not exist', 'META-2nnds')],
  ['POST', `${v2}/search`, {}, 200, { pagination: { appliedLimit: '100' } }],
]

test.each(lines.map(([method, path, body, status, reply]) => ({ method, path, body, status, reply })))(
  '$method $path',
  async ({ method, path, body, status, reply }) => {
    surface.tick()
    const answer = await surface.send({ method, path, body, headers: { Authorization: 'Bearer manager' } })
    expect([answer.status, answer.text]).toEqual([status, JSON.stringify(reply)])
  },
)
