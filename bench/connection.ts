import { connect, type Socket } from 'node:net'

export interface Reply {
  readonly status: number
  /** Header lines as they came, in lower-case names. */
  readonly headers: ReadonlyMap<string, string>
  readonly cookies: readonly string[]
  readonly body: string
}

/** What a scenario asks through, one thing at a time. */
export interface Asks {
  request(method: string, path: string, headers?: Readonly<Record<string, string>>, body?: string | Buffer): Promise<Reply>
  close(): void
}

/** One kept-alive HTTP/1.1 connection that asks one thing at a time. It does little, so that the driver is not what is measured. */
export class Connection implements Asks {
  readonly #socket: Socket
  readonly #host: string
  #received: Buffer = Buffer.alloc(0)
  #answer: ((reply: Reply) => void) | undefined
  #fail: ((error: Error) => void) | undefined

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#fail?.(error))
    socket.on('close', () => this.#fail?.(new Error('the server closed the connection')))
  }

  /** Connects to a port of this machine; `host` is what it is asked for by name. */
  static open(port: number, host: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, 'localhost', () => resolve(new Connection(socket, host)))
      socket.once('error', reject)
    })
  }

  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body: string | Buffer = ''): Promise<Reply> {
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n`
    for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`
    if (body.length > 0) head += `content-length: ${Buffer.byteLength(body)}\r\n`
    return new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
      this.#socket.write(`${head}\r\n${body}`)
    })
  }

  close(): void {
    this.#fail = undefined
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const lines = this.#received.toString('latin1', 0, end).split('\r\n')
    const headers = new Map<string, string>()
    const cookies: string[] = []
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      if (name === 'set-cookie') cookies.push(value)
      else headers.set(name, value)
    }
    if (headers.has('transfer-encoding')) throw new Error('the driver does not read chunked replies')
    const length = Number(headers.get('content-length') ?? 0)
    if (this.#received.length < end + 4 + length) return
    const body = this.#received.toString('utf8', end + 4, end + 4 + length)
    this.#received = this.#received.subarray(end + 4 + length)
    const answer = this.#answer
    this.#answer = undefined
    answer?.({ status: Number(lines[0]?.slice(9, 12)), headers, cookies, body })
  }
}
