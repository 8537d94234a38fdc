/**
 * Storage: the drivers behind `Stores`. Each is loaded only when it is used. They map what can go wrong to the errors of `base` and of the
 * domain rooms, and know nothing of who calls.
 */
import type { Clock } from '#src/base/clock.ts'
import type { Stores } from '#src/domain/stores.ts'

export type StoreAddress = { readonly kind: 'sqlite'; readonly directory: string } | { readonly kind: 'mongodb'; readonly url: string }

/** Opens a store, made and brought up to date where needed. @throws CannotStart */
export async function openStores(address: StoreAddress, options: { now?: Clock } = {}): Promise<Stores> {
  if (address.kind === 'sqlite') return (await import('./sqlite/open.ts')).openSqlite(address.directory, options)
  return (await import('./mongo/open.ts')).openMongo(address.url, options)
}
