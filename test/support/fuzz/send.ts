/** Sends a made-up request as its bytes are, which no client of good manners would. */
import { Agent, request } from 'node:http'
import { type Live, publicJwk, type Signer } from './live.ts'
import type { BadRequest } from './requests.ts'
import type { Value } from './values.ts'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export type Sign = (signer: Signer, header: string, payload: string) => string

/** Node itself closes the connection on whoever sends more than 32 KiB of headers. */
const longestQuery = 20_000

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** Answers the reply to a request in which live values have taken their places. */
export function send(issuer: string, made: BadRequest, live: Live, sign: Sign): Promise<Reply> {
  const path = filledIn(made.path, live, made.path)
  const encoded = made.parameters
    .map(([name, value]) => `${encode(name)}=${encodedOf(value, path, live, sign)}`)
    .join('&')
    .slice(0, made.inQuery ? longestQuery : undefined)
  const body = made.json ?? (made.inQuery ? '' : encoded)
  const headers: Record<string, string[]> = {}
  if (body !== '') headers['content-type'] = [made.json === undefined ? 'application/x-www-form-urlencoded' : 'application/json']
  for (const [name, value] of made.headers) {
    const text = headerText(textOf(value, path, live, sign))
    headers[name] = name === 'content-type' ? [text] : [...(headers[name] ?? []), text]
  }
  headers['content-length'] = [String(Buffer.byteLength(body))]
  const url = new URL(issuer)
  const target = made.inQuery && encoded !== '' ? `${path}?${encoded}` : path
  return new Promise((resolve, reject) => {
    const sent = request(
      { agent, maxHeaderSize: 128 * 1024, host: url.hostname, port: url.port, method: made.method, path: target, headers },
      (reply) => {
        let text = ''
        reply.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: text }))
        reply.on('error', reject)
      },
    )
    // A refused body is not read to its end, and the reply may be there before it is written.
    sent.on('error', reject)
    sent.end(body)
  })
}

const encodedOf = (value: Value, path: string, live: Live, sign: Sign) =>
  'encoded' in value ? value.encoded : encode(textOf(value, path, live, sign))

function textOf(value: Value, path: string, live: Live, sign: Sign): string {
  if ('encoded' in value) return value.encoded
  if ('text' in value) return filledIn(value.text, live, path)
  const fill = (json: string) => filledIn(json.replaceAll('"<jwk>"', JSON.stringify(publicJwk('client'))), live, path)
  return sign(value.signer, fill(value.header), fill(value.payload))
}

/** `text` with the live values that it names. */
function filledIn(text: string, live: Live, path: string): string {
  const now = Math.floor(Date.now() / 1000)
  const computed: Readonly<Record<string, () => string>> = {
    cookies: () => live.cookies(path),
    basic: () => Buffer.from(`${live.web}:${live.secret}`).toString('base64'),
  }
  const times: Readonly<Record<string, number>> = { now, soon: now + 300, past: now - 300 }
  return text
    .replace(/"<(now|soon|past)>"/g, (_all, name: string) => String(times[name]))
    .replace(/<(\w+)>/g, (all, name: string) => {
      if (Object.hasOwn(computed, name)) return computed[name]?.() ?? all
      return Object.hasOwn(live, name) ? String(live[name as keyof Live]) : all
    })
}

/** Percent-encoded, half a surrogate pair too, as three bytes that are no UTF-8. */
const encode = (text: string) =>
  [...text]
    .map((character) => {
      const code = character.charCodeAt(0)
      if (character.length > 1 || code < 0xd800 || code > 0xdfff) return encodeURIComponent(character)
      return `%${[0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)].map((byte) => byte.toString(16)).join('%')}`
    })
    .join('')

/** What of a text can be in a header at all. */
const headerText = (text: string) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 8000)
