import type { AuditEvent } from '../audit/events.ts'
import type { Application, Organization, Project, Settings } from './application.ts'

/** What to write, all of it in one transaction with its events. */
export interface CatalogueChange {
  readonly organization?: Organization
  readonly settings?: Settings
  /** The id of Dossier's own project, written once at the first start. */
  readonly ownProjectId?: string
  readonly putProjects?: readonly Project[]
  readonly putApplications?: readonly Application[]
  readonly removeProjects?: readonly string[]
  readonly removeApplications?: readonly string[]
  readonly events: readonly AuditEvent[]
}

/** What there is one of. `ownProjectId` is the project that stands for Dossier itself: tokens for its APIs name it in `aud`. */
export interface CatalogueRoot {
  readonly organization: Organization
  readonly settings: Settings
  readonly ownProjectId: string
}

export interface CatalogueStore {
  /** What there is one of, absent before the first start has written it. */
  root(): Promise<CatalogueRoot | undefined>
  listProjects(): Promise<readonly Project[]>
  findProject(id: string): Promise<Project | undefined>
  findApplication(clientId: string): Promise<Application | undefined>
  /** The applications of a project, oldest first. */
  listApplications(projectId: string): Promise<readonly Application[]>
  /** @throws ClientIdTaken */
  commit(change: CatalogueChange): Promise<void>
  /**
   * A number that is another one after every commit here or in the key store, by whichever process. It costs next to nothing and
   * never waits: what is made from the catalogue may be kept for as long as the number stands.
   */
  revision(): number
}
