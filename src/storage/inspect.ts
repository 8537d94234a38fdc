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

/** Whether the store can be reached, in which state its schema is, and whether its clock and `now` agree. Changes nothing. */
export async function inspectStores(address: StoreAddress, now: Date): Promise<readonly Finding[]> {
  if (address.kind === 'sqlite') return (await import('./sqlite/inspect.ts')).inspectSqlite(address.directory, now)
  return (await import('./mongo/inspect.ts')).inspectMongo(address.url, now)
}
