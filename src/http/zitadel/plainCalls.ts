/**
 * The plain form of a call, which nearly all are, answered without Connect's library: one message, not compressed, without a time limit, by the Connect protocol or by
 * gRPC. Everything else is the library's, which takes three times as long and knows all of the protocols; a test holds the two against each other.
 */
import { type DescMethod, type DescMethodUnary, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import type { ConnectError } from '@connectrpc/connect'
import { codeToHttpStatus, errorToJson } from '@connectrpc/connect/protocol-connect'
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc'
import type { Context } from 'koa'
import { readBody } from '../kit/body.ts'
import type { Dispatch } from './dispatch.ts'
import { StatusError } from './errors.ts'
import { parseJson } from './jsonText.ts'
import { readMessage, writeMessage } from './protojson.ts'

/** How messages are written in a protocol, and what stands around them. */
interface Protocol {
  read(rpc: DescMethod, body: Buffer): Message
  answer(ctx: Context, rpc: DescMethod, reply: Message): void
  refuse(ctx: Context, error: ConnectError): void
}

const frameBytes = 5

const connectJson: Protocol = {
  read({ input }, body) {
    const { value, text } = parseJson(body.length === 0 ? emptyObject : body)
    return readMessage(input, value, text)
  },
  answer(ctx, { output }, reply) {
    ctx.set('Content-Type', 'application/json')
    ctx.body = writeMessage(output, reply)
  },
  refuse: refuseInJson,
}

const connectBinary: Protocol = {
  read: ({ input }, body) => decoded(input, body),
  answer(ctx, { output }, reply) {
    ctx.set('Content-Type', 'application/proto')
    ctx.body = Buffer.from(toBinary(output, reply))
  },
  refuse: refuseInJson,
}

const grpc: Protocol = {
  read({ input }, body) {
    const isOne = body.length >= frameBytes && body[0] === 0 && body.readUInt32BE(1) === body.length - frameBytes
    if (!isOne) throw new StatusError('invalidArgument', 'the request must be one message that is not compressed')
    return decoded(input, body.subarray(frameBytes))
  },
  answer(ctx, { output }, reply) {
    const message = toBinary(output, reply)
    const frame = Buffer.alloc(frameBytes + message.length)
    frame.writeUInt32BE(message.length, 1)
    frame.set(message, frameBytes)
    endGrpc(ctx, frame, { 'grpc-status': '0' })
  },
  refuse(ctx, error) {
    endGrpc(ctx, undefined, Object.fromEntries(setTrailerStatus(new Headers(), error)))
  },
}

const emptyObject = Buffer.from('{}')

function decoded(schema: DescMethod['input'], body: Uint8Array): Message {
  try {
    return fromBinary(schema, body)
  } catch (error) {
    throw new StatusError('invalidArgument', `the message cannot be read: ${(error as Error).message}`)
  }
}

function refuseInJson(ctx: Context, error: ConnectError): void {
  for (const [name, value] of error.metadata) ctx.set(name, value)
  ctx.status = codeToHttpStatus(error.code)
  ctx.set('Content-Type', 'application/json')
  ctx.body = JSON.stringify(errorToJson(error, undefined))
}

/** Writes past Koa, which knows no trailers. */
function endGrpc(ctx: Context, frame: Buffer | undefined, trailers: Readonly<Record<string, string>>): void {
  ctx.respond = false
  const { res } = ctx
  res.statusCode = 200
  res.setHeader('content-type', 'application/grpc+proto')
  if (frame) res.addTrailers(trailers)
  // Without a message, what would be trailers stand at the front ("Trailers-Only").
  else for (const [name, value] of Object.entries(trailers)) res.setHeader(name, value)
  res.end(frame)
}

/** The protocol of a plain call; `undefined` for what is the library's. */
export function plainProtocol({ req: { headers, method, httpVersionMajor } }: Context): Protocol | undefined {
  const isIdentity = (name: string) => headers[name] === undefined || headers[name] === 'identity'
  if (method !== 'POST') return undefined
  const type = headers['content-type']
  if (type === 'application/grpc' || type === 'application/grpc+proto') {
    return httpVersionMajor === 2 && isIdentity('grpc-encoding') && headers['grpc-timeout'] === undefined ? grpc : undefined
  }
  if (!isIdentity('content-encoding') || headers['connect-timeout-ms'] !== undefined) return undefined
  if (type === 'application/json') return connectJson
  return type === 'application/proto' ? connectBinary : undefined
}

export interface PlainCall {
  readonly dispatch: Dispatch
  readonly rpc: DescMethodUnary
  readonly protocol: Protocol
  readonly refusalOf: (error: unknown) => ConnectError
}

/** Answers a plain call. */
export async function answerPlain(ctx: Context, { dispatch, rpc, protocol, refusalOf }: PlainCall): Promise<void> {
  try {
    const read = async ({ bodyLimitBytes }: { readonly bodyLimitBytes: number }) =>
      protocol.read(rpc, await readBody(ctx, bodyLimitBytes + frameBytes))
    protocol.answer(ctx, rpc, await dispatch.call(rpc, ctx, read))
  } catch (error) {
    protocol.refuse(ctx, refusalOf(error))
  }
}
