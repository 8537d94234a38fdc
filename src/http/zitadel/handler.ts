import { create, type DescMessage, type DescMethodUnary, type Message, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf'
import { bodyLimitBytes } from '../kit/body.ts'
import { type Access, accessOf } from './access.ts'
import type { Caller } from './authenticate.ts'

/** What serves one RPC, whichever transport it came by: a checked request goes in, a reply comes out, refusals are thrown. */
export interface Handler {
  readonly rpc: DescMethodUnary
  readonly access: Access
  readonly bodyLimitBytes: number
  handle(request: Message, caller: Caller): Promise<Message>
}

/** A handler of `rpc` in the types of its messages. Those that write metadata take a larger body. */
export function handlerOf<I extends DescMessage, O extends DescMessage>(
  rpc: DescMethodUnary<I, O>,
  handle: (request: MessageShape<I>, caller: Caller) => Promise<MessageInitShape<O>>,
  options: { readonly bodyLimitBytes?: number } = {},
): Handler {
  return {
    rpc,
    access: accessOf(rpc),
    bodyLimitBytes: options.bodyLimitBytes ?? bodyLimitBytes,
    // The message was read by the descriptor of this very RPC.
    handle: async (request, caller) => create(rpc.output, await handle(request as MessageShape<I>, caller)),
  }
}
