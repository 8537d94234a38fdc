import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { organizationId, type Surface, startSurface } from './startSurface.ts'

let surface: Surface

beforeAll(async () => {
  surface = await startSurface()
  await surface.set('P-ID', '12351983')
})
afterAll(() => surface[Symbol.asyncDispose]())

const path = '/auth/v1/users/me/metadata/P-ID'
const detail = (id: string, message: string) => ({ '@type': 'type.googleapis.com/zitadel.v1.ErrorDetail', id, message })

describe('who may ask', () => {
  test.each([
    ['nothing', '', { code: 16, message: 'auth header missing' }],
    [
      'a user name',
      'Basic amFuZTp4',
      { code: 16, message: 'invalid auth header (AUTH-7fs1e)', details: [detail('AUTH-7fs1e', 'invalid auth header')] },
    ],
    [
      'no token',
      'Bearer',
      { code: 16, message: 'invalid auth header (AUTH-7fs1e)', details: [detail('AUTH-7fs1e', 'invalid auth header')] },
    ],
    [
      'a bad token',
      'Bearer bad',
      { code: 16, message: 'Token is invalid (AUTH-7fs1e)', details: [detail('AUTH-7fs1e', 'Token is invalid')] },
    ],
    [
      'an application',
      'Bearer application',
      { code: 16, message: 'Token is invalid (AUTH-7fs1e)', details: [detail('AUTH-7fs1e', 'Token is invalid')] },
    ],
    [
      'a token for another project',
      'Bearer jane-elsewhere',
      { code: 16, message: 'invalid audience (APP-Zxfako)', details: [detail('APP-Zxfako', 'invalid audience')] },
    ],
  ])('%s is answered with 401', async (_, Authorization, expected) => {
    for (const reply of [await surface.get(path, { Authorization }), await surface.search({}, { Authorization })]) {
      expect([reply.status, reply.text]).toEqual([401, JSON.stringify(expected)])
      expect(reply.headers).toMatchObject({
        'www-authenticate': expected.message,
        'cache-control': 'no-store',
        'content-type': 'application/json',
      })
    }
  })

  test('an organization that a request names must be the one that there is', async () => {
    const ask = (id: string) => surface.get(path, { Authorization: 'Bearer jane', 'x-zitadel-orgid': id })
    expect((await ask(organizationId)).status).toBe(200)
    for (const unknown of ['170086363054473474', 'acme', `${organizationId}, ${organizationId}`]) {
      const { status, json } = await ask(unknown)
      expect([status, json]).toEqual([
        403,
        {
          code: 7,
          message: "Organisation doesn't exist (AUTH-Bs7Ds)",
          details: [detail('AUTH-Bs7Ds', "Organisation doesn't exist")],
        },
      ])
    }
  })

  test('the scheme may be written in any case', async () => {
    expect((await surface.get(path, { Authorization: 'bearer  jane' })).status).toBe(200)
  })

  test('a user who was removed a moment ago is not found', async () => {
    const { status, json } = await surface.search({}, { Authorization: 'Bearer removed' })
    expect([status, json]).toMatchObject([404, { code: 5, message: 'User could not be found (QUERY-Dfbg2)' }])
  })
})

describe('an address', () => {
  test.each([
    ['DELETE', '/auth/v1/users/me', 'zitadel.auth.v1.AuthService/RemoveMyUser'],
    ['POST', '/management/v1/orgs/me/domains/_search', 'zitadel.management.v1.ManagementService/ListOrgDomains'],
    ['DELETE', '/management/v1/policies/login', 'zitadel.management.v1.ManagementService/ResetLoginPolicyToDefault'],
    ['PUT', '/management/v1/projects/7/grants/8', 'zitadel.management.v1.ManagementService/UpdateProjectGrant'],
    ['GET', '/admin/v1/healthz', 'zitadel.admin.v1.AdminService/Healthz'],
    ['POST', '/v2/users/7/passkeys', 'zitadel.user.v2.UserService/RegisterPasskey'],
    ['POST', '/v2/users/7/totp', 'zitadel.user.v2.UserService/RegisterTOTP'],
    ['POST', '/v2beta/projects/7/grants', 'zitadel.project.v2beta.ProjectService/CreateProjectGrant'],
  ])('that ZITADEL publishes and we do not serve is answered with 501: %s %s', async (method, address, rpc) => {
    const { status, text } = await surface.send({ method, path: address, headers: { Authorization: '' } })
    expect([status, text]).toEqual([501, JSON.stringify({ code: 12, message: `${rpc} is not served` })])
  })

  test.each(['/auth/v1/nothing', '/management/v1/', '/admin/v1/x/y/z', '/v2/nothing', '/v2beta/x', '/auth/v1//users/me'])(
    'that nobody publishes is not found: %s',
    async (address) => {
      const { status, text } = await surface.get(address)
      expect([status, text]).toEqual([404, '{"code":5,"message":"Not Found"}'])
    },
  )

  test.each([
    ['DELETE', path, 'GET'],
    ['POST', path, 'GET'],
    ['PUT', '/auth/v1/users/me/metadata/_search', 'POST, GET'],
    ['PUT', '/management/v1/users/7/metadata/key', 'POST, GET, DELETE'],
  ])('takes the methods that it allows: not %s %s', async (method, address, allowed) => {
    const { status, text, headers } = await surface.send({ method, path: address })
    expect([status, text, headers.allow]).toEqual([405, '{"code":12,"message":"Method Not Allowed"}', allowed])
  })

  test('of a method by its name answers what its address answers, or that it is not served', async () => {
    const call = (name: string) => surface.send({ method: 'POST', path: `/zitadel.auth.v1.AuthService/${name}`, body: {} })
    expect((await call('ListMyMetadata')).json).toEqual((await surface.search({})).json)
    const { status, json } = await call('RemoveMyUser')
    expect([status, json]).toEqual([501, { code: 'unimplemented', message: 'zitadel.auth.v1.AuthService/RemoveMyUser is not served' }])
    expect((await call('GetYourUser')).status).toBe(404)
    expect((await surface.send({ method: 'POST', path: '/zitadel.nothing.v1.Service/Get', body: {} })).status).toBe(404)
  })

  test.each(['/', '/oauth/v2/token', '/auth/v1', '/authx/v1/users/me', '/v2x'])('of somebody else is left to them: %s', async (address) => {
    expect((await surface.get(address)).text).toBe('somebody else')
  })
})

describe('a body', () => {
  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'])('may be %s', async (type) => {
    expect((await surface.search({}, { 'Content-Type': type })).status).toBe(200)
  })

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'application/jsonp', 'application/grpc'])('may not be %s', async (type) => {
    const { status, json } = await surface.search({}, { 'Content-Type': type })
    expect([status, json]).toEqual([415, { code: 3, message: 'the body of the request must be application/json' }])
  })

  test('may not be compressed', async () => {
    expect((await surface.search({}, { 'Content-Encoding': 'gzip' })).status).toBe(415)
  })

  test('that is empty needs no type', async () => {
    expect((await surface.search('', { 'Content-Type': 'text/plain' })).status).toBe(200)
  })

  test('without a type is read as JSON', async () => {
    const reply = await raw(
      `POST /auth/v1/users/me/metadata/_search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer jane\r\nContent-Length: 2\r\n\r\n{}`,
    )
    expect(reply).toMatch(/^HTTP\/1.1 200 /)
  })

  test('of exactly 100 KB is read', async () => {
    expect((await surface.search(`{}${' '.repeat(100 * 1024 - 2)}`)).status).toBe(200)
  })

  test('of more than 100 KB is refused by its announced length', async () => {
    const { status, json, headers } = await surface.search(`{}${' '.repeat(100 * 1024 - 1)}`)
    expect([status, json]).toEqual([413, { code: 3, message: 'the body of the request may have at most 102400 bytes' }])
    expect(headers.connection).toBe('close')
  })

  test('of more than 100 KB is refused while it comes in pieces', async () => {
    const piece = `1000\r\n${' '.repeat(0x1000)}\r\n`
    const reply = await raw(
      `POST /auth/v1/users/me/metadata/_search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer jane\r\nTransfer-Encoding: chunked\r\n\r\n${piece.repeat(26)}`,
    )
    expect(reply).toMatch(/^HTTP\/1.1 413 /)
    expect(reply).toContain('{"code":3,"message":"the body of the request may have at most 102400 bytes"}')
  })

  test('that never ends because the client went away is nobody else’s trouble', async () => {
    const socket = connect(surface.port, '127.0.0.1')
    const head = 'POST /auth/v1/users/me/metadata/_search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer jane\r\nContent-Length: 9\r\n\r\n{'
    await new Promise((resolve) => socket.write(head, resolve))
    socket.destroy()
    expect((await surface.get(path)).status).toBe(200)
  })

  test('of a GET is passed over', async () => {
    expect((await surface.send({ path, body: '{' })).status).toBe(200)
  })
})

describe('trouble of ours', () => {
  test.each([
    ['store-away', '2', 'The service cannot reach its store right now'],
    ['busy', '1', 'The service is too busy right now'],
  ])('that passes is told with the time to wait: %s', async (token, seconds, message) => {
    const { status, text, headers } = await surface.get(path, { Authorization: `Bearer ${token}` })
    expect([status, text, headers['retry-after']]).toEqual([503, JSON.stringify({ code: 14, message }), seconds])
  })

  test('that nobody expected is told without a word about its cause, which goes to the log', async () => {
    const { status, text } = await surface.get(path, { Authorization: 'Bearer bug' })
    expect([status, text]).toEqual([500, '{"code":13,"message":"An internal error occurred"}'])
    expect(surface.failures).toContainEqual(new TypeError('a secret thing is wrong'))
  })
})

/** Sends bytes as they are, and answers what comes back. */
function raw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(surface.port, '127.0.0.1')
    let reply = ''
    socket.setEncoding('utf8').on('error', reject)
    socket.on('data', (chunk) => {
      reply += chunk
      if (reply.includes('}')) socket.destroy()
    })
    socket.on('close', () => resolve(reply))
    socket.write(request)
  })
}
