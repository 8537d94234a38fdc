/** Functions in their threads: what they find around them, and what they cannot do. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Binary, ObjectId } from 'bson'
import { afterAll, expect, test } from 'vitest'
import { FunctionFailed, FunctionNotFound } from '#src/domain/apps/functions.ts'
import { systemUser } from '#src/domain/apps/userObject.ts'
import { createFunctionRunner, type FunctionHost } from '#src/functions/runner.ts'
import { appView } from '../support/apps.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const asked: unknown[] = []
const logged: unknown[] = []
const host: FunctionHost = {
  async documents({ isSystem, user }, operation) {
    asked.push({ isSystem, user: user.id, ...operation })
    if (operation.method === 'find') return [{ _id: new ObjectId('63ed2dbe5960df2af7fd216e'), n: 1 }, { n: 2 }]
    if (operation.method === 'deleteMany') throw new Error('no rule allows it')
    return { insertedId: new ObjectId('63ed2dbe5960df2af7fd216e') }
  },
  async http({ url, method, body }) {
    return { statusCode: 200, status: '200 OK', headers: { 'X-A': ['b'] }, body: `${method} ${url} ${body ?? ''}` }
  },
  valuesOf: () => ({ greeting: 'hello' }),
  log: ({ level, name, text }) => logged.push(`${level} ${name} ${text}`),
}
const limits = { milliseconds: 2000, megabytes: 32, threads: 2, waiting: 50 }
const runner = createFunctionRunner({ host, limits })
afterAll(() => runner.stop())

const caller = { ...systemUser, id: '63ed2dbe5960df2af7fd216e', type: 'normal' as const, data: { email: 'a@b.example' } }
const sources = {
  add: 'exports = (a, b) => a + b',
  bytes:
    'exports = (value) => ({ same: value, text: atob("aGVsbG8="), back: ["", "f", "fo", "foo", "foob"].map((each) => btoa(each)), made: new BSON.Binary(new Uint8Array([1, 2, 255])) })',
  later: 'exports = async function () { await new Promise((resolve) => setTimeout(resolve, 20)); return "later" }',
  who: 'exports = () => ({ id: context.user.id, email: context.user.data.email, system: context.runningAsSystem(), value: context.values.get("greeting"), tag: context.environment.tag })',
  nested: 'exports = async (n) => await context.functions.execute("add", n, 1) + await context.functions.execute("add", n, 2)',
  types:
    'exports = (value) => ({ value, isId: value instanceof BSON.ObjectId, text: EJSON.stringify({ a: 1 }), at: new Date(0), none: undefined })',
  find: 'exports = async () => { const c = context.services.get("mongodb-atlas").db("d").collection("c"); return { all: await c.find({ a: 1 }).sort({ n: -1 }).limit(2).toArray(), one: await c.insertOne({ b: 1 }) } }',
  refused: 'exports = async () => context.services.get("mongodb-atlas").db("d").collection("c").deleteMany({})',
  system: 'exports = async () => { await context.services.get("mongodb-atlas").db("d").collection("c").count({}); return context.user.id }',
  callsSystem: 'exports = () => context.functions.execute("system")',
  http: 'exports = async () => { const r = await context.http.post({ url: "https://a.example/", body: { a: 1 }, encodeBodyAsJSON: true }); return [r.statusCode, r.body.text(), r.headers["X-A"]] }',
  hash: 'exports = () => require("crypto").createHash("sha256").update("a").digest("hex")',
  logs: 'exports = () => { console.log("a", { b: 1 }); console.error(new Error("bad")) }',
  nothing: 'exports = () => {}',
  state: 'let n = 0; exports = () => { n += 1; globalThis.m = (globalThis.m ?? 0) + 1; return n }',
  loop: 'exports = () => { for (;;) {} }',
  slowly: 'exports = async () => { for (;;) await null }',
  eatsHeap: 'exports = () => { const all = []; for (;;) all.push(new Array(1000).fill({})) }',
  eatsBytes:
    'exports = async () => { const all = []; for (;;) { all.push(new Uint8Array(8_000_000).fill(1)); await new Promise((resolve) => setTimeout(resolve, 1)) } }',
  throwsText: 'exports = () => { throw "no such luck" }',
  throwsObject: 'exports = () => { throw { reason: 1 } }',
  rejects: 'exports = async () => { throw new TypeError("wrong") }',
  cycle: 'exports = () => { const a = {}; a.a = a; return a }',
  escape: "exports = () => this.constructor.constructor('return process')()",
  escapeByError: "exports = () => { try { null.x } catch (error) { return error.constructor.constructor('return process')() } }",
  escapeByPromise:
    "exports = async () => { const p = context.services.get('mongodb-atlas').db('d').collection('c').count({}); return p.constructor.constructor('return process')().pid }",
  escapeByConsole: "exports = () => console.log.constructor('return process')().pid",
  process: 'exports = () => typeof process + typeof require + typeof globalThis.fetch + typeof module.constructor.prototype',
  requires: 'exports = () => require("fs")',
  broken: 'exports = () => {{',
  noFunction: 'exports = 5',
  unknownService: 'exports = () => context.services.get("twilio")',
  recursion: 'exports = function f() { return f() }',
}
const view = appView(sources, { system: { run_as_system: true } })
const call = (name: string, ...parameters: unknown[]) =>
  runner.callFunction({ view, name, arguments: parameters, user: caller, facts: { address: '192.0.2.1' } })

const failure = async (name: string) => {
  const error = await call(name).catch((reason: unknown) => reason)
  if (!(error instanceof FunctionFailed)) throw new Error(`${name} did not fail as a function does: ${error}`)
  return [error.errorCode, error.message]
}

test('a function gets its arguments and answers', async () => {
  expect(await call('add', 1, 2)).toBe(3)
  expect(await call('later')).toBe('later')
  expect(await call('nested', 10)).toBe(23)
  expect(await call('nothing')).toBeNull()
  await expect(call('none')).rejects.toThrow(FunctionNotFound)
})

test('it knows who calls, values and the environment', async () => {
  expect(await call('who')).toEqual({ id: caller.id, email: 'a@b.example', system: false, value: 'hello', tag: '' })
})

test('BSON types go in and come out', async () => {
  const id = new ObjectId()
  expect(await call('types', id)).toEqual({ value: id, isId: true, text: '{"a":1}', at: new Date(0), none: null })
})

test('bytes go in and come out, and base64 is there as in browsers', async () => {
  const bytes = new Binary(Buffer.from('any bytes \u{1f600}'))
  expect(await call('bytes', bytes)).toEqual({
    same: bytes,
    text: 'hello',
    back: ['', 'Zg==', 'Zm8=', 'Zm9v', 'Zm9vYg=='],
    made: new Binary(Buffer.from([1, 2, 255])),
  })
})

test('it reaches the data source with the rights of whoever calls, or of the system', async () => {
  asked.length = 0
  expect(await call('find')).toMatchObject({ all: [{ n: 1 }, { n: 2 }], one: { insertedId: new ObjectId('63ed2dbe5960df2af7fd216e') } })
  expect(asked[0]).toMatchObject({
    isSystem: false,
    user: caller.id,
    service: 'mongodb-atlas',
    database: 'd',
    collection: 'c',
    method: 'find',
  })
  expect((asked[0] as { parameters: unknown[] }).parameters[1]).toMatchObject({ sort: { n: expect.anything() }, limit: expect.anything() })
  expect(await failure('refused')).toEqual(['FunctionExecutionError', 'no rule allows it'])
  asked.length = 0
  expect([await call('system'), await call('callsSystem')]).toEqual([caller.id, caller.id])
  expect(asked).toMatchObject([{ isSystem: true }, { isSystem: true }])
})

test('it asks other services, hashes and logs', async () => {
  expect(await call('http')).toEqual([200, 'POST https://a.example/ {"a":{"$numberInt":"1"}}', ['b']])
  expect(await call('hash')).toBe('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb')
  logged.length = 0
  await call('logs')
  expect(logged[0]).toBe('info logs a {"b":1}')
  expect(logged[1]).toMatch(/^error logs Error: bad/)
})

test('each call starts a function anew', async () => {
  expect([await call('state'), await call('state')]).toEqual([1, 1])
})

test.each([
  ['loop', 'ExecutionTimeLimitExceeded', /more than 2 seconds/],
  ['slowly', 'ExecutionTimeLimitExceeded', /more than 2 seconds/],
  ['eatsHeap', 'MemoryLimitExceeded', /more than 32 MB/],
  ['eatsBytes', 'MemoryLimitExceeded', /more than 32 MB/],
  ['throwsText', 'FunctionExecutionError', /^no such luck$/],
  ['throwsObject', 'FunctionExecutionError', /^\{"reason":1\}$/],
  ['rejects', 'FunctionExecutionError', /^wrong$/],
  ['cycle', 'FunctionExecutionError', /circular/],
  ['escape', 'FunctionExecutionError', /Code generation from strings disallowed|undefined/],
  ['escapeByError', 'FunctionExecutionError', /Code generation from strings disallowed/],
  ['escapeByPromise', 'FunctionExecutionError', /Code generation from strings disallowed/],
  ['escapeByConsole', 'FunctionExecutionError', /Code generation from strings disallowed/],
  ['requires', 'FunctionExecutionError', /Cannot find module 'fs'/],
  ['broken', 'FunctionSyntaxError', /Unexpected/],
  ['noFunction', 'FunctionExecutionError', /is not a function/],
  ['unknownService', 'FunctionExecutionError', /service not found: 'twilio'/],
  ['recursion', 'FunctionExecutionError', /call stack/],
])('%s is a clear error, and the server goes on', async (name, errorCode, message) => {
  const [code, text] = await failure(name)
  expect([code, text]).toEqual([errorCode, expect.stringMatching(message)])
  expect(await call('add', 1, 1)).toBe(2)
})

test('it finds nothing of the server around it', async () => {
  expect(await call('process')).toBe('undefinedfunctionundefinedobject')
})

test('a thousand calls leave no memory behind', async () => {
  const thousand = async () => {
    for (let round = 0; round < 1000; round += 1) await call('types', { text: 'x'.repeat(1000) })
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  await thousand()
  const before = await thousand()
  expect((await thousand()) - before).toBeLessThan(1_000_000)
}, 30_000)

test('more calls than threads wait for their turn; too many are refused', async () => {
  const many = await Promise.allSettled(Array.from({ length: 80 }, () => call('later')))
  const refused = many.filter(({ status }) => status === 'rejected')
  expect(many.length - refused.length).toBeGreaterThanOrEqual(limits.threads + limits.waiting)
  for (const each of refused) expect(String((each as PromiseRejectedResult).reason)).toMatch(/functions/)
  expect(refused.length).toBeGreaterThan(0)
})
