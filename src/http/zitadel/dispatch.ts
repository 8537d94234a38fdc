import type { DescMethod, Message } from '@bufbuild/protobuf'
import { assertMay } from './access.ts'
import { type AuthenticateNeeds, createAuthenticate } from './authenticate.ts'
import { type Call, nameOf } from './call.ts'
import { StatusError } from './errors.ts'
import type { Handler } from './handler.ts'
import { createHandlers, type HandlerNeeds } from './handlers.ts'
import { assertOrganization } from './organization.ts'
import { assertOrigin } from './origins.ts'
import { validate } from './validate.ts'

export type DispatchNeeds = AuthenticateNeeds & HandlerNeeds

/** Reads the request of a call, once it is known who calls. */
type ReadRequest = (handler: Handler) => Message | Promise<Message>

/** Every call of an RPC, by whichever transport, goes through here: who calls, whether they may, what they ask, what the handler makes of it. */
export interface Dispatch {
  /** The handler of an RPC, if it is served. */
  handlerOf(rpc: DescMethod): Handler | undefined | Promise<Handler | undefined>
  /** @throws StatusError and what `statusOf` knows */
  call(rpc: DescMethod, call: Call, read: ReadRequest): Promise<Message>
}

export function createDispatch(needs: DispatchNeeds): Dispatch {
  const handlersOf = createHandlers(needs)
  const authenticate = createAuthenticate(needs)

  function handlerOf(rpc: DescMethod) {
    const handlers = handlersOf(rpc.parent.typeName)
    return handlers instanceof Promise ? handlers.then((loaded) => loaded.get(rpc.name)) : handlers.get(rpc.name)
  }

  return {
    handlerOf,
    async call(rpc, call, read) {
      const found = handlerOf(rpc)
      const handler = found instanceof Promise ? await found : found
      if (!handler) throw new StatusError('unimplemented', `${nameOf(rpc)} is not served`)
      const { access } = handler
      const caller = await authenticate(call, access)
      assertOrigin(call, caller)
      assertOrganization(call, needs.organizationId())
      // Whoever may not is told so before what they sent is read, unless that decides.
      if (access.self === undefined) assertMay(access, caller)
      const request = await read(handler)
      if (access.self !== undefined) assertMay(access, caller, request)
      validate(rpc.input, request)
      return handler.handle(request, caller)
    },
  }
}
