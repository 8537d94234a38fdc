import { getMyMetadata } from './auth/getMyMetadata.ts'
import { listMyMetadata } from './auth/listMyMetadata.ts'
import { type Handler, nameOf } from './handler.ts'
import type { MetadataNeeds } from './metadata.ts'

export type HandlerNeeds = MetadataNeeds

/** Every RPC that is served, by its name. To serve another one, add its handler here: its addresses are in the descriptors. */
export function createHandlers(needs: HandlerNeeds): ReadonlyMap<string, Handler> {
  const handlers = [listMyMetadata(needs), getMyMetadata(needs)]
  return new Map(handlers.map((handler) => [nameOf(handler.rpc), handler]))
}
