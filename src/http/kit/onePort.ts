import { Server as HttpServer, type RequestListener, type ServerOptions } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'

/** The first bytes of a connection that speaks HTTP/2 with prior knowledge (RFC 9113, section 3.4), as far as no method of HTTP/1.1 begins so. */
const preface = Buffer.from('PRI')
/** For the first bytes, and between requests of HTTP/2. */
const firstBytesMs = 10_000
const idleMs = 65_000

/**
 * An HTTP/1.1 server that also speaks HTTP/2 without TLS on the same port, which gRPC needs: the first bytes of a connection say which. It listens, closes
 * and drains as Node's own server does.
 */
export class OnePortServer extends HttpServer {
  readonly #sessions = new Set<ServerHttp2Session>()
  /** Connections that have said nothing yet. */
  readonly #undecided = new Set<Socket>()

  constructor(options: ServerOptions, listener: RequestListener) {
    super(options, listener)
    // Whatever is written for requests of HTTP/1.1 works with those of HTTP/2 too: that is what Node's compatibility layer is for.
    const http2 = createHttp2Server({ settings: { maxConcurrentStreams: 100 } }, listener as never)
    http2.on('session', (session) => this.#keep(session))
    const asHttp1 = this.listeners('connection') as ((socket: Socket) => void)[]
    this.removeAllListeners('connection')
    this.on('connection', (socket: Socket) => {
      this.#decide(socket, (isHttp2) => {
        if (isHttp2) http2.emit('connection', socket)
        else for (const accept of asHttp1) accept.call(this, socket)
      })
    })
  }

  override closeIdleConnections(): void {
    super.closeIdleConnections()
    for (const socket of this.#undecided) socket.destroy()
    for (const session of this.#sessions) if (!session.closed) session.close()
  }

  override closeAllConnections(): void {
    super.closeAllConnections()
    for (const socket of this.#undecided) socket.destroy()
    for (const session of this.#sessions) session.destroy()
  }

  /** Waits for bytes enough to tell, and puts them back. */
  #decide(socket: Socket, hand: (isHttp2: boolean) => void): void {
    this.#undecided.add(socket)
    const forget = () => this.#undecided.delete(socket)
    const onError = () => socket.destroy()
    let seen = Buffer.alloc(0)
    const onReadable = () => {
      const chunk: Buffer | null = socket.read()
      if (chunk === null) return
      seen = Buffer.concat([seen, chunk])
      const isHttp2 = seen.subarray(0, preface.length).equals(preface)
      if (!isHttp2 && seen.length < preface.length && preface.subarray(0, seen.length).equals(seen)) return
      socket.off('readable', onReadable).off('error', onError).off('close', forget)
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      forget()
      socket.unshift(seen)
      hand(isHttp2)
    }
    socket.on('readable', onReadable).on('error', onError).on('close', forget)
    socket.setTimeout(firstBytesMs, onError)
  }

  #keep(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.setTimeout(idleMs, () => session.close())
    session.on('close', () => this.#sessions.delete(session))
  }
}
