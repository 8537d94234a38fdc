import type { AuditEvent } from '../audit/events.ts'
import type { Application, Organization, Project, Settings } from './application.ts'

/** Projects and applications to write, all of it in one transaction with its events. */
export interface RecordsChange {
  readonly putProjects?: readonly Project[]
  readonly putApplications?: readonly Application[]
  readonly removeProjects?: readonly string[]
  readonly removeApplications?: readonly string[]
  readonly events: readonly AuditEvent[]
}

/** What to write, with what there is one of. */
export interface CatalogueChange extends RecordsChange {
  readonly organization?: Organization
  readonly settings?: Settings
  /** The id of Dossier's own project, written once at the first start. */
  readonly ownProjectId?: string
  /** The `newestRevision` that the change was made from: it is refused when the catalogue has moved on since. */
  readonly basis?: number
}

/** What there is one of. `ownProjectId` is the project that stands for Dossier itself: tokens for its APIs name it in `aud`. */
export interface CatalogueRoot {
  readonly organization: Organization
  readonly settings: Settings
  readonly ownProjectId: string
}

/** Projects and applications as they are at the moment of a change. */
export interface CatalogueState {
  readonly projects: readonly Project[]
  /** Those that the change is about, oldest first. */
  readonly applications: readonly Application[]
}

/** The applications that a change is about: all of a project, or only one, where there may be a great many. */
export interface ChangeScope {
  readonly projectId: string
  readonly clientId?: string
}

export interface CatalogueStore {
  /** What there is one of, absent before the first start has written it. */
  root(): Promise<CatalogueRoot | undefined>
  listProjects(): Promise<readonly Project[]>
  findProject(id: string): Promise<Project | undefined>
  findApplication(clientId: string): Promise<Application | undefined>
  findApplicationById(id: string): Promise<Application | undefined>
  /** The applications of a project, oldest first. */
  listApplications(projectId: string): Promise<readonly Application[]>
  /** How many applications each project has that has any, by its id. */
  countApplications(): Promise<ReadonlyMap<string, number>>
  /** @throws ClientIdTaken, CatalogueMoved */
  commit(change: CatalogueChange): Promise<void>
  /**
   * Writes what `decide` makes of the state that it is written over: nobody writes in between. `decide` is pure and may be called again; `undefined`
   * means that nothing is to change.
   * @throws ClientIdTaken, and what `decide` throws
   */
  change(scope: ChangeScope, decide: (current: CatalogueState) => RecordsChange | undefined): Promise<void>
  /**
   * A number that is another one after every commit here or in the key store, by whichever process. It costs next to nothing and
   * never waits: what is made from the catalogue may be kept for as long as the number stands.
   */
  revision(): number
  /** The number as it is in the store, of whichever process the last commit was. */
  newestRevision(): Promise<number>
}
