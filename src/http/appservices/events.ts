import { Readable } from 'node:stream'
import type { Context } from 'koa'
import type { DocumentChange } from '#src/domain/documents/store.ts'
import { writeEjson } from './body.ts'

/** A line is sent now and then, so that nobody between takes the connection for dead. */
const everyMs = 20_000

/** Answers with what comes, as server-sent events, for as long as the client listens. App Services escapes `%`, and line ends would end an event. */
export function streamEvents(ctx: Context, changes: AsyncIterable<DocumentChange>, ending: AbortController): void {
  const body = new Readable({ read: () => undefined })
  ctx.status = 200
  ctx.type = 'text/event-stream'
  ctx.set('X-Accel-Buffering', 'no')
  ctx.body = body
  ctx.respond = true
  const beat = setInterval(() => body.push(':\n\n'), everyMs)
  const end = () => {
    clearInterval(beat)
    ending.abort()
  }
  body.on('close', end)
  ctx.res.on('close', end)
  body.push(':\n\n')
  void send(changes, body).finally(() => {
    end()
    body.push(null)
  })
}

async function send(changes: AsyncIterable<DocumentChange>, body: Readable): Promise<void> {
  try {
    for await (const change of changes) body.push(`data: ${escaped(writeEjson(change))}\n\n`)
  } catch {
    body.push(`event: error\ndata: ${JSON.stringify({ error_code: 'InternalServerError', error: 'the stream broke; watch again' })}\n\n`)
  }
}

const escaped = (text: string) => text.replaceAll('%', '%25').replaceAll('\n', '%0A').replaceAll('\r', '%0D')
