import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { OnePortServer } from '#src/http/kit/onePort.ts'
import { drain } from '#src/platform/shutdown.ts'

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
