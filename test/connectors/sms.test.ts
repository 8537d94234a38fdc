/** Text messages by a gateway, which is a server on a real socket, and into a folder. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createTextMessages } from '#src/connectors/sms.ts'
import { messagesIn } from '../support/messages.ts'
import { tempDir } from '../support/temp.ts'

async function startGateway(status: number) {
  const seen: { method?: string | undefined; path?: string | undefined; authorization?: string | undefined; body: unknown }[] = []
  const server = createServer(async (request: IncomingMessage, reply) => {
    seen.push({ method: request.method, path: request.url, authorization: request.headers.authorization, body: await json(request) })
    reply.writeHead(status, { location: '/elsewhere' }).end('a reply')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { seen, host: `127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: async () => void server.close() }
}

const message = { to: '+41440000000', text: 'Grüezi' }

test('a gateway is posted the number and the text, with the credentials of its address', async () => {
  await using gateway = await startGateway(202)
  await createTextMessages({ url: `http://us%40er:pass@${gateway.host}/send?key=1`, directory: '/nowhere', fetch })(message)
  expect(gateway.seen).toEqual([
    { method: 'POST', path: '/send?key=1', authorization: `Basic ${Buffer.from('us@er:pass').toString('base64')}`, body: message },
  ])
})

test.each([500, 302])('a gateway that answers %d has sent nothing', async (status) => {
  await using gateway = await startGateway(status)
  await expect(createTextMessages({ url: `http://${gateway.host}/`, directory: '/nowhere', fetch })(message)).rejects.toThrow()
  expect(gateway.seen).toHaveLength(1)
})

test('without a gateway messages are files', async () => {
  const directory = tempDir()
  await createTextMessages({ directory, fetch })(message)
  expect(messagesIn(directory)).toEqual(['To: +41440000000\n\nGrüezi\n'])
})
