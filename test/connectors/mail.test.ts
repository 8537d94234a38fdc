/** Mail by SMTP, to a server on a real socket that speaks as much of it as a message needs. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { createMailer } from '#src/connectors/mail.ts'

/** Takes messages, and says no to whoever is called `nobody`. */
async function startSmtp() {
  const messages: string[] = []
  const server = createServer((socket) => {
    let lines = ''
    let data: string | undefined
    const answer = (line: string) => socket.write(`${line}\r\n`)
    answer('220 mail.example ESMTP')
    socket.setEncoding('utf8').on('data', (chunk) => {
      lines += chunk
      for (let end = lines.indexOf('\r\n'); end >= 0; end = lines.indexOf('\r\n')) {
        const line = lines.slice(0, end)
        lines = lines.slice(end + 2)
        if (data !== undefined && line === '.') {
          messages.push(data)
          data = undefined
          answer('250 taken')
        } else if (data !== undefined) data += `${line}\n`
        else if (line === 'DATA') {
          data = ''
          answer('354 go on')
        } else if (line === 'QUIT') socket.end('221 bye\r\n')
        else answer(line.includes('nobody@') ? '550 nobody is called so' : '250 fine')
      }
    })
    socket.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { messages, url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

const mail = { to: 'jane@app.example', subject: 'Grüezi', text: 'as text', html: '<p>as HTML</p>' }

test('a message goes out whole, and what the server refuses is an error', async () => {
  const smtp = await startSmtp()
  const send = createMailer({ smtpUrl: smtp.url, directory: '/nowhere', from: 'Dossier <no-reply@id.example>' })
  await send(mail)
  const [message = ''] = smtp.messages
  for (const part of [
    'From: Dossier <no-reply@id.example>',
    'To: jane@app.example',
    'as text',
    '<p>as HTML</p>',
    'multipart/alternative',
  ]) {
    expect(message).toContain(part)
  }
  await expect(send({ ...mail, to: 'nobody@app.example' })).rejects.toThrow('550')
  smtp.close()
  await expect(send(mail)).rejects.toThrow('ECONNREFUSED')
})
