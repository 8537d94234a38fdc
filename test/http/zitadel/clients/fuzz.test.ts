/** Whatever is sent to ZITADEL's API, by whoever may do everything: never a fault of ours, never a look behind the scenes, always an error in the words of the API. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHandlers, type HandlerNeeds, servedServices } from '#src/http/zitadel/handlers.ts'
import { type Idp, startIdp } from '../../../support/idp.ts'
import { managerOf } from './api.ts'

const rpcs = (
  await Promise.all(
    servedServices.map(async (service) => [...(await createHandlers({} as HandlerNeeds)(service)).values()].map(({ rpc }) => rpc)),
  )
).flat()

let idp: Idp
let token: string
beforeAll(async () => {
  idp = await startIdp()
  token = (await managerOf(idp, ['IAM_OWNER'])).token
})
afterAll(() => idp[Symbol.asyncDispose]())

const strange = fc.constantFrom<unknown>(
  null,
  '',
  ' ',
  0,
  -1,
  1e300,
  '-1',
  '99999999999999999999',
  true,
  [],
  {},
  [[]],
  '\u0000',
  '\ud800',
  '__proto__',
  'x'.repeat(300),
  'AAAA',
  '1970-01-01T00:00:00Z',
  '-5s',
  '$where',
  "' OR 1=1 --",
  '../../etc/passwd',
  '%00',
  'http://[',
  '🦊',
)

/** A value for a field: mostly of its kind, sometimes anything. */
function fieldValue(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const item = itemOf(field, depth)
  const right =
    field.fieldKind === 'list'
      ? fc.array(item, { maxLength: 3 })
      : field.fieldKind === 'map'
        ? fc.dictionary(fc.string({ maxLength: 5 }), item, { maxKeys: 2 })
        : item
  return fc.oneof({ weight: 5, arbitrary: right }, { weight: 1, arbitrary: strange })
}

function itemOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.message) return depth > 3 ? fc.constant({}) : messageOf(field.message, depth + 1)
  if (field.enum) return fc.constantFrom(...field.enum.values.map(({ name }) => name), 99, 'NO_SUCH_NAME')
  switch (field.scalar) {
    case ScalarType.BOOL:
      return fc.boolean()
    case ScalarType.STRING:
      return fc.oneof(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.constantFrom(idp.jane.id, idp.jane.username, idp.project.id, idp.web.id, 'a@b.c', 'reader'),
      )
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64'))
    default:
      return fc.oneof(fc.integer(), fc.nat({ max: 20 }))
  }
}

const messageOf = (schema: DescMessage, depth = 0): fc.Arbitrary<Record<string, unknown>> =>
  schema.typeName.startsWith('google.protobuf.')
    ? (fc.oneof(fc.constantFrom('1970-01-01T00:00:00Z', '5s', '0.000000001s', '-5s'), strange) as unknown as fc.Arbitrary<
        Record<string, unknown>
      >)
    : fc.record(Object.fromEntries(schema.fields.map((field) => [field.jsonName, fieldValue(field, depth)])), { requiredKeys: [] })

describe.each(rpcs.map((rpc) => ({ name: `${rpc.parent.typeName}/${rpc.name}`, rpc })))('$name', ({ rpc }) => {
  test('answers, or says what is wrong', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 9, arbitrary: messageOf(rpc.input) }, { weight: 1, arbitrary: strange }), async (body) => {
        idp.log.length = 0
        const reply = await fetch(idp.url(`/${rpc.parent.typeName}/${rpc.name}`), {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        })
        const text = await reply.text()
        const json = JSON.parse(text) as { code?: unknown; message?: unknown }
        if (reply.status !== 200) expect([typeof json.code, typeof json.message]).toEqual(['string', 'string'])
        expect(reply.status === 501 || reply.status < 500, `${reply.status} ${text}`).toBe(true)
        expect(text).not.toMatch(/node_modules|\.[jt]s:\d|\n {4}at |SQLITE|MongoServer/)
        expect(idp.log.filter((line) => line.includes('"level":50'))).toEqual([])
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 40), seed: Number(process.env.FUZZ_SEED ?? 1) },
    )
  })
})
