import type { StoreAddress } from './open.ts'
import { sqliteIsMissing } from './sqlite/missing.ts'

/** One thing that was looked at. `failed` keeps the server from starting or from being right. */
export interface Finding {
  readonly name: string
  readonly status: 'ok' | 'failed'
  readonly detail: string
}

/** Whether `openStores` would make the store. A database on a server is taken to be there. */
export const storesAreMissing = (address: StoreAddress) => address.kind === 'sqlite' && sqliteIsMissing(address.directory)

/** The signing keys of a store that can be read, as they are sealed; none when there is no store. Changes nothing. */
export async function sealedKeysIn(address: StoreAddress): Promise<readonly { readonly kid: string; readonly sealed: string }[]> {
  if (address.kind === 'sqlite') return (await import('./sqlite/inspect.ts')).sealedKeysInSqlite(address.directory)
  return (await import('./mongo/inspect.ts')).sealedKeysInMongo(address.url)
}

/** Whether the store can be reached, in which state its schema is, and whether its clock and `now` agree. Changes nothing. */
export async function inspectStores(address: StoreAddress, now: Date): Promise<readonly Finding[]> {
  if (address.kind === 'sqlite') return (await import('./sqlite/inspect.ts')).inspectSqlite(address.directory, now)
  return (await import('./mongo/inspect.ts')).inspectMongo(address.url, now)
}
