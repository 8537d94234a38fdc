import { newObjectId } from '#src/base/ids.ts'
import type { Application, Project, Role, SigningAlgorithm } from '../applications/application.ts'
import type { Catalogue } from '../applications/catalogue.ts'
import type { CatalogueChange } from '../applications/store.ts'
import type { Actor, AuditEvent } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { WantedApplication } from './application.ts'
import { type Change, changeOf, differingFields } from './change.ts'
import type { ConfigurationFile, WantedProject } from './file.ts'
import { noteNames } from './names.ts'
import { planApplications } from './planApplications.ts'
import { note, noteRepeated, type Rules } from './rules.ts'

export interface CatalogueDeps {
  readonly catalogue: Pick<Catalogue, 'newestRevision' | 'root' | 'listProjects' | 'listApplications'>
  readonly recorder: Recorder
  readonly rules: Rules
}

/** The catalogue as it is stored. Dossier's own project is no business of a configuration file, its applications' client ids are. */
export interface StoredCatalogue {
  /** It is in no file, but its roles are granted like others. */
  readonly ownProject: Project
  readonly projects: readonly Project[]
  readonly applications: readonly Application[]
}

export interface CataloguePlan {
  /** `undefined` when nothing is to be written. */
  readonly commit?: CatalogueChange
  readonly changes: readonly Change[]
  /** Projects as they will be, by id, and the ids of each name. */
  readonly projects: ReadonlyMap<string, Project>
  readonly idsByName: ReadonlyMap<string, readonly string[]>
  /** Projects whose roles could not be read: nothing can be said of them. */
  readonly unread: ReadonlySet<string>
  readonly clientIds: ReadonlySet<string>
  readonly algorithms: readonly SigningAlgorithm[]
}

/** What makes the stored organization, settings, projects and applications those of `file`. Faults are added to the file's. */
export async function planCatalogue(file: ConfigurationFile, actor: Actor, deps: CatalogueDeps): Promise<CataloguePlan> {
  const { recorder, rules } = deps
  // First: whatever is committed while the rest is read makes the plan one that is refused.
  const basis = await deps.catalogue.newestRevision()
  const root = await deps.catalogue.root()
  const stored = await readStored(deps.catalogue, root.ownProjectId)
  const changes: Change[] = []
  const events: AuditEvent[] = []

  const organization = file.organization && { ...root.organization, ...file.organization }
  if (organization) {
    noteNames(organization, root.organization, ['organization'], file.faults)
    const fields = differingFields(root.organization, organization)
    changes.push(changeOf('organization', organization.name, fields))
    if (fields.length > 0) {
      events.push(recorder.event('organization.changed', actor, { kind: 'organization', id: organization.id }, { fields }))
    }
  }
  const settings = file.settings && { ...rules.defaultSettings, ...file.settings }
  if (settings) {
    for (const [index, { key }] of settings.registrationFields.entries())
      note(file.faults, ['settings', 'registration', 'fields', index, 'key'], () => rules.assertMetadata(key, Buffer.of(0)))
    const fields = differingFields(root.settings, settings)
    changes.push(changeOf('settings', 'settings', fields))
    if (fields.length > 0) events.push(recorder.event('settings.changed', actor, { kind: 'settings', id: 'settings' }, { fields }))
  }

  const { faults } = file
  noteRepeated(file.projects, 'name', ({ name }) => name, faults)
  noteRepeated(file.projects, 'id', ({ id }) => id, faults)
  const wanted = file.projects.map((project) => {
    const before = findProject(project, stored, file)
    noteNames(project, before, project.path, faults)
    return { project, before, after: projectOf(project, before, file, recorder.now()) }
  })
  const applications = planApplications(wanted, stored, file, actor, deps)
  const putProjects: Project[] = []
  for (const { before, after } of wanted) {
    if (!before) {
      putProjects.push(after)
      changes.push({ kind: 'project', name: after.name, change: 'create' })
      events.push(recorder.event('project.created', actor, { kind: 'project', id: after.id }, { name: after.name }))
    } else {
      const fields = differingFields(before, { ...after, changedAt: before.changedAt })
      changes.push(changeOf('project', after.name, fields))
      if (fields.length > 0) {
        putProjects.push(after)
        events.push(recorder.event('project.changed', actor, { kind: 'project', id: after.id }, { fields }))
      }
    }
    changes.push(...(applications.changes.get(after.id) ?? []))
  }
  const listed = new Set(wanted.map(({ after }) => after.id))
  const removedIds = new Set(applications.removed.map(({ id }) => id))
  const removedProjects = !file.prune
    ? []
    : stored.projects.filter(
        (project) =>
          project.provisionedBy === file.mark &&
          !listed.has(project.id) &&
          // Somebody else put an application there: it keeps its project.
          stored.applications.every((each) => each.projectId !== project.id || removedIds.has(each.id)),
      )
  for (const { name } of applications.removed) changes.push({ kind: 'application', name, change: 'remove' })
  for (const { id, name } of removedProjects) {
    changes.push({ kind: 'project', name, change: 'remove' })
    events.push(recorder.event('project.removed', actor, { kind: 'project', id }, {}))
  }

  const allEvents = [...events, ...applications.events]
  const gone = new Set(removedProjects.map(({ id }) => id))
  const projects = new Map(
    [stored.ownProject, ...stored.projects, ...wanted.map(({ after }) => after)]
      .filter(({ id }) => !gone.has(id))
      .map((each) => [each.id, each]),
  )
  return {
    commit:
      allEvents.length === 0
        ? undefined
        : {
            organization,
            settings,
            putProjects,
            putApplications: applications.put,
            removeProjects: [...gone],
            removeApplications: [...removedIds],
            events: allEvents,
            basis,
          },
    changes,
    projects,
    idsByName: Map.groupBy(projects.keys(), (id) => projects.get(id)?.name ?? id),
    unread: new Set(wanted.filter(({ project }) => project.rolesUnread).map(({ after }) => after.id)),
    clientIds: applications.clientIds,
    algorithms: [...new Set(file.projects.flatMap((each) => each.applications).flatMap((each) => signingAlgorithmsOf(each.fields)))],
  }
}

async function readStored(catalogue: CatalogueDeps['catalogue'], ownProjectId: string): Promise<StoredCatalogue> {
  const all = await catalogue.listProjects()
  const applications = await Promise.all(all.map(({ id }) => catalogue.listApplications(id)))
  const [ownProject] = all.filter(({ id }) => id === ownProjectId)
  if (!ownProject) throw new TypeError("Dossier's own project is not there")
  return { ownProject, projects: all.filter(({ id }) => id !== ownProjectId), applications: applications.flat() }
}

/** The stored project that `wanted` means: by its id, otherwise by its name. */
function findProject(wanted: WantedProject, stored: StoredCatalogue, { faults }: ConfigurationFile): Project | undefined {
  if (wanted.id === stored.ownProject.id) faults.add([...wanted.path, 'id'], "is the id of Dossier's own project")
  const byId = stored.projects.find(({ id }) => id === wanted.id)
  if (byId) return byId
  const [first, ...others] = stored.projects.filter(({ name }) => name === wanted.name)
  if (others.length > 0)
    faults.add([...wanted.path, 'name'], `the store has ${others.length + 1} projects of this name; give the id of one`)
  else if (first && wanted.id !== undefined) faults.add([...wanted.path, 'id'], `is ${first.id} in the store, and an id cannot change`)
  return first
}

function projectOf(wanted: WantedProject, before: Project | undefined, file: ConfigurationFile, at: Date): Project {
  const roles = rolesOf(wanted.roles, before?.roles ?? [], file)
  const { name, projectRoleAssertion } = wanted
  const active = wanted.active === undefined ? before?.active : wanted.active ? undefined : false
  if (before) return { ...before, name, active, projectRoleAssertion, roles, changedAt: at }
  const id = wanted.id ?? newObjectId(at)
  return { id, name, active, roles, projectRoleAssertion, provisionedBy: file.mark, createdAt: at, changedAt: at }
}

/** Listed roles as they are listed, and those that the file does not know, unless it made them and prunes. */
function rolesOf(wanted: readonly Role[], before: readonly Role[], { mark, prune }: ConfigurationFile): readonly Role[] {
  const listed = new Map(wanted.map((role) => [role.key, role]))
  const kept = before
    .filter(({ key, provisionedBy }) => listed.has(key) || !prune || provisionedBy !== mark)
    .map((role) => ({ ...role, ...listed.get(role.key) }))
  const known = new Set(before.map(({ key }) => key))
  return [...kept, ...[...listed.values()].filter(({ key }) => !known.has(key)).map((role) => ({ ...role, provisionedBy: mark }))]
}

/** Every algorithm that something for the application is signed with. */
const signingAlgorithmsOf = (fields: WantedApplication['fields']): readonly SigningAlgorithm[] =>
  [
    fields.idTokenSignedResponseAlg,
    fields.userinfoSignedResponseAlg,
    fields.introspectionSignedResponseAlg,
    fields.authorizationSignedResponseAlg,
  ].filter((each) => each !== undefined)
