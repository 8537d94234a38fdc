/** Stores: all that a storage driver must offer. Nothing outside `storage/` knows which driver runs. */
import type { ActionStore } from './actions/store.ts'
import type { CatalogueStore } from './applications/store.ts'
import type { AppStore } from './apps/store.ts'
import type { AuditStore } from './audit/events.ts'
import type { KeyStore } from './keys/store.ts'
import type { MetadataStore } from './metadata/store.ts'
import type { ArtifactStore } from './sessions/store.ts'
import type { AttemptStore, PersonalAccessTokenStore, UserStore } from './users/store.ts'

export interface Stores {
  /** For people: what is kept where, without credentials. */
  readonly description: string
  readonly users: UserStore
  readonly tokens: PersonalAccessTokenStore
  readonly attempts: AttemptStore
  readonly metadata: MetadataStore
  readonly catalogue: CatalogueStore
  readonly actions: ActionStore
  readonly apps: AppStore
  readonly keys: KeyStore
  readonly audit: AuditStore
  readonly artifacts: ArtifactStore
  /** Whether a request could be served now. @throws StoreUnavailable */
  ping(): Promise<void>
  close(): Promise<void>
}
