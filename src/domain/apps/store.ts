import type { AuditEvent } from '../audit/events.ts'
import type { App } from './app.ts'

/** Apps are few: they are read as a whole, and kept until the catalogue's revision moves, which every write here does. */
export interface AppStore {
  /** Oldest first. */
  list(): Promise<readonly App[]>
  /** @throws ClientAppIdTaken */
  insert(app: App, events: readonly AuditEvent[]): Promise<void>
  /**
   * Replaces an app by what `decide` makes of the current one; it is pure and may be called again. `undefined` changes nothing.
   * @throws AppNotFound, ClientAppIdTaken, and what `decide` throws
   */
  update(id: string, decide: (current: App) => { readonly app: App; readonly events: readonly AuditEvent[] } | undefined): Promise<App>
  /** Whether there was such an app. */
  remove(id: string, events: readonly AuditEvent[]): Promise<boolean>
}
