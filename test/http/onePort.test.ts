import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { OnePortServer } from '#src/http/kit/onePort.ts'
import { drain } from '#src/platform/shutdown.ts'
import { startIdp } from '../support/idp.ts'
import { signIn } from '../support/relyingParty.ts'

const servers: OnePortServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function start() {
  const server = new OnePortServer({}, async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    response.end(`${request.httpVersion} ${request.method} ${request.url} ${body}`)
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

async function ask2(session: ReturnType<typeof connectHttp2>, path: string, body: string): Promise<string> {
  const stream = session.request({ ':method': 'POST', ':path': path })
  stream.end(body)
  return Buffer.concat(await stream.toArray()).toString()
}

test('one port answers HTTP/1.1 and HTTP/2, however the first bytes arrive', async () => {
  const { port } = await start()
  const answer = await fetch(`http://127.0.0.1:${port}/a`, { method: 'PUT', body: 'one' })
  expect(await answer.text()).toBe('1.1 PUT /a one')
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  expect(await Promise.all([ask2(session, '/b', 'two'), ask2(session, '/c', 'three')])).toEqual(['2.0 POST /b two', '2.0 POST /c three'])
  session.close()
  for (const request of [
    'PROPFIND / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nq',
  ]) {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay()
    for (const byte of request) {
      socket.write(byte)
      await new Promise(setImmediate)
    }
    expect(Buffer.concat(await socket.toArray()).toString()).toContain('HTTP/1.1 200')
  }
})

test('a connection that goes away without a word harms nobody', async () => {
  const { port } = await start()
  for (const said of ['', 'PR']) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(said)
    socket.resetAndDestroy()
  }
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
})

test('a server that goes away lets HTTP/2 finish what runs, and does not wait for those who say nothing', async () => {
  const server = new OnePortServer({}, (_, response) => void setTimeout(() => response.end('late'), 300))
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const silent = connect(port, '127.0.0.1')
  await once(silent, 'connect')
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  const running = ask2(session, '/', '')
  await once(session, 'remoteSettings')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await drain(server)
  expect(await running).toBe('late')
})

test('over HTTP/2 stands what stands over HTTP/1.1', async () => {
  await using idp = await startIdp()
  const session = connectHttp2(idp.issuer)
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const stream = session.request({ ':path': path, accept: 'text/html', ...headers })
    const [head] = (await once(stream, 'response')) as [Record<string, string>]
    return { status: Number(head[':status']), head, text: Buffer.concat(await stream.toArray()).toString() }
  }
  for (const path of ['/.well-known/openid-configuration', '/oauth/v2/keys', '/', '/healthz']) {
    const [over2, over1] = [await get(path), await fetch(idp.url(path), { headers: { accept: 'text/html' } })]
    expect([path, over2.status, over2.text]).toEqual([path, over1.status, await over1.text()])
    for (const name of ['etag', 'cache-control']) expect(over2.head[name] ?? null).toBe(over1.headers.get(name))
  }
  const { tokens } = await signIn(idp, { scope: 'openid profile' })
  const userinfo = await get('/oidc/v1/userinfo', { authorization: `Bearer ${tokens.access_token}` })
  expect(JSON.parse(userinfo.text)).toMatchObject({ sub: idp.jane.id, name: 'Jane Doe' })
  expect((await get('/nothing')).status).toBe(404)
  expect((await get('/', { ':authority': 'somebody.example' })).status).toBe(421)
  session.close()
  expect(idp.log.join('')).not.toContain('"level":50')
})
