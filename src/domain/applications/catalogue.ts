import { newObjectId, newSecret } from '#src/base/ids.ts'
import type { Recorder } from '../audit/recorder.ts'
import { type Application, ClientIdTaken, defaultSettings, isActive, isRegistered, type Organization, type Project } from './application.ts'
import { reservedClientIds } from './builtIn.ts'
import { ownRoles } from './ownRoles.ts'
import type { CatalogueChange, CatalogueRoot, CatalogueStore } from './store.ts'

/** An application with what its tokens need to know about its surroundings. */
export interface ApplicationView {
  readonly application: Application
  readonly project: Project
  /** Client ids of all active applications of the project, its own included, oldest first. Beside those that registered themselves there is nobody. */
  readonly siblingClientIds: readonly string[]
}

/** What there is one of, with every project by its id. */
export interface CatalogueRootView extends CatalogueRoot {
  readonly projects: ReadonlyMap<string, Project>
}

export type Catalogue = ReturnType<typeof createCatalogue>

const cachedViews = 5000

export function createCatalogue({ store, recorder }: { store: CatalogueStore; recorder: Recorder }) {
  let revision = Number.NaN
  let root: Promise<CatalogueRootView> | undefined
  let resources: Promise<ReadonlyMap<string, Application>> | undefined
  let counts: Promise<ReadonlyMap<string, number>> | undefined
  const views = new Map<string, Promise<ApplicationView | undefined>>()
  const projects = new Map<string, Promise<Project | undefined>>()

  /** Forgets what was read before the last change, wherever that was made. */
  function refresh() {
    const current = store.revision()
    if (current === revision) return
    revision = current
    root = undefined
    resources = undefined
    counts = undefined
    views.clear()
    projects.clear()
  }

  /** Reads once per revision; a failed read is not kept. */
  function remembered<K, V>(map: Map<K, Promise<V>>, key: K, read: () => Promise<V>): Promise<V> {
    refresh()
    const known = map.get(key)
    if (known) return known
    const reading = read()
    if (map.size >= cachedViews) map.delete(map.keys().next().value as K)
    map.set(key, reading)
    reading.catch(() => map.get(key) === reading && map.delete(key))
    return reading
  }

  async function readRoot(): Promise<CatalogueRootView> {
    const [found, projects] = await Promise.all([store.root(), store.listProjects()])
    if (!found) throw new TypeError('the catalogue is asked before `bootstrap` has run')
    // What is kept from an older version lacks what this one has added.
    const settings = { ...defaultSettings, ...found.settings }
    return { ...found, settings, projects: new Map(projects.map((project) => [project.id, project])) }
  }

  async function readView(clientId: string): Promise<ApplicationView | undefined> {
    const application = await store.findApplication(clientId)
    if (!application) return undefined
    const [project, siblings] = await Promise.all([
      store.findProject(application.projectId),
      // Of these there may be a great many, and none learns of another.
      isRegistered(application) ? [application] : store.listApplications(application.projectId),
    ])
    if (!project) return undefined
    const isOn = isActive(project)
    return {
      application: isOn ? application : { ...application, active: false },
      project,
      siblingClientIds: isOn ? siblings.filter((each) => each.active).map((each) => each.clientId) : [],
    }
  }

  async function readResources(): Promise<ReadonlyMap<string, Application>> {
    const projects = (await store.listProjects()).filter(isActive)
    const applications = await Promise.all(projects.map(({ id }) => store.listApplications(id)))
    const entries = applications
      .flat()
      .filter(({ active }) => active)
      .flatMap((application) => (application.resourceIndicators ?? []).map((each) => [each, application] as const))
    return new Map(entries)
  }

  /** Gives Dossier's own project the roles that this version knows, where an older one has made it. */
  async function completeOwnProject({ ownProjectId }: CatalogueRoot): Promise<void> {
    await store.change({ projectId: ownProjectId }, ({ projects }) => {
      const own = projects.find(({ id }) => id === ownProjectId)
      const missing = ownRoles.filter(({ key }) => !own?.roles.some((role) => role.key === key))
      if (!own || missing.length === 0) return undefined
      return {
        putProjects: [{ ...own, roles: [...own.roles, ...missing], changedAt: recorder.now() }],
        events: [recorder.event('project.changed', { kind: 'system' }, { kind: 'project', id: own.id }, { fields: ['roles'] })],
      }
    })
  }

  return {
    /** The number under which everything made from the catalogue may be kept. */
    revision: () => store.revision(),

    root(): Promise<CatalogueRootView> {
      refresh()
      root ??= readRoot().catch((error) => {
        root = undefined
        throw error
      })
      return root
    },

    /** The application of a client id with its project, from memory while nothing has changed. */
    find: (clientId: string) => remembered(views, clientId, () => readView(clientId)),
    /** The active API that goes by the address `indicator` (RFC 8707), if there is one. */
    async findResource(indicator: string): Promise<Application | undefined> {
      refresh()
      resources ??= readResources().catch((error) => {
        resources = undefined
        throw error
      })
      return (await resources).get(indicator)
    },
    findProject: (id: string) => remembered(projects, id, () => store.findProject(id)),
    listProjects: () => store.listProjects(),
    listApplications: (projectId: string) => store.listApplications(projectId),
    /** How many applications each project has that has any, by its id; from memory while nothing has changed. */
    countApplications(): Promise<ReadonlyMap<string, number>> {
      refresh()
      counts ??= store.countApplications().catch((error) => {
        counts = undefined
        throw error
      })
      return counts
    },

    /** Writes what must be there before anything else: organization, settings and the project that stands for Dossier itself. */
    async bootstrap(): Promise<void> {
      const root = await store.root()
      if (root) return completeOwnProject(root)
      const at = recorder.now()
      const organization: Organization = { id: newObjectId(at), name: 'Dossier', primaryDomain: 'localhost', pairwiseSalt: newSecret() }
      const own: Project = {
        id: newObjectId(at),
        name: 'Dossier',
        roles: ownRoles,
        projectRoleAssertion: false,
        createdAt: at,
        changedAt: at,
      }
      await store.commit({
        organization,
        settings: defaultSettings,
        ownProjectId: own.id,
        putProjects: [own],
        events: [recorder.event('project.created', { kind: 'system' }, { kind: 'project', id: own.id }, { name: own.name })],
      })
    },

    /** The project of an id, as it is now. */
    findProjectById: (id: string) => store.findProject(id),
    /** The application of an id, as it is now. */
    findById: (id: string) => store.findApplicationById(id),

    newestRevision: () => store.newestRevision(),
    /** @throws ClientIdTaken, CatalogueMoved */
    async commit(change: CatalogueChange): Promise<void> {
      const taken = change.putApplications?.find(({ clientId }) => reservedClientIds.includes(clientId))
      if (taken) throw new ClientIdTaken(taken.clientId)
      await store.commit(change)
    },
    change: store.change.bind(store),
  }
}
