import { type ClientHttp2Session, connect, constants } from 'node:http2'
import type { Asks, Reply } from './connection.ts'

/** One HTTP/2 connection that makes one call of gRPC at a time; a body is the message in binary. It does little, so that the driver is not what is measured. */
export class GrpcConnection implements Asks {
  readonly #session: ClientHttp2Session

  private constructor(session: ClientHttp2Session) {
    this.#session = session
  }

  static open(port: number): Promise<GrpcConnection> {
    return new Promise((resolve, reject) => {
      const session = connect(`http://localhost:${port}`, () => resolve(new GrpcConnection(session)))
      session.once('error', reject)
    })
  }

  request(_method: string, path: string, headers: Readonly<Record<string, string>> = {}, body: string | Buffer = ''): Promise<Reply> {
    const message = Buffer.from(body)
    const frame = Buffer.alloc(5 + message.length)
    frame.writeUInt32BE(message.length, 1)
    message.copy(frame, 5)
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: path,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        te: 'trailers',
        ...headers,
      })
      let status: unknown
      let bytes = 0
      stream.on('response', (head) => {
        status = head['grpc-status']
      })
      stream.on('trailers', (trailers) => {
        status = trailers['grpc-status']
      })
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      stream.on('error', reject)
      stream.on('end', () =>
        resolve({ status: status === '0' ? 200 : 500, headers: new Map(), cookies: [], body: `${bytes} bytes, status ${status}` }),
      )
      stream.end(frame)
    })
  }

  close(): void {
    this.#session.destroy()
  }
}
