import { newObjectId } from '#src/base/ids.ts'
import type { Application, Project } from '../applications/application.ts'
import type { Actor, AuditEvent } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { WantedApplication } from './application.ts'
import { type Change, changeOf, differingFields } from './change.ts'
import { keptSecretOf } from './clientSecret.ts'
import type { Faults } from './faults.ts'
import type { ConfigurationFile, WantedProject } from './file.ts'
import { noteNames } from './names.ts'
import type { StoredCatalogue } from './planCatalogue.ts'
import { noteRepeated, type Rules } from './rules.ts'

export interface ApplicationsPlan {
  readonly put: readonly Application[]
  readonly removed: readonly Application[]
  readonly events: readonly AuditEvent[]
  /** By project id. */
  readonly changes: ReadonlyMap<string, readonly Change[]>
  /** Of all applications that there will be. */
  readonly clientIds: ReadonlySet<string>
}

/** What makes the stored applications of the `wanted` projects those of the file. */
export function planApplications(
  wanted: readonly { readonly project: WantedProject; readonly after: Project }[],
  stored: StoredCatalogue,
  file: ConfigurationFile,
  actor: Actor,
  { recorder, rules }: { recorder: Recorder; rules: Rules },
): ApplicationsPlan {
  const { faults } = file
  const everyone = wanted.flatMap(({ project }) => project.applications)
  noteRepeated(everyone, 'clientId', ({ clientId }) => clientId, faults)
  noteRepeated(everyone, 'id', ({ id }) => id, faults)

  const put: Application[] = []
  const events: AuditEvent[] = []
  const changes = new Map<string, Change[]>()
  const matched = new Set<string>()
  const clientIds = new Set(stored.applications.map(({ clientId }) => clientId))

  for (const { project, after } of wanted) {
    const own: Change[] = []
    for (const [application, before] of matchesOf(project, after, stored, faults)) {
      if (before) matched.add(before.id)
      noteNames(application, before, application.path, faults)
      const [record, made] = applicationOf(application, before, after.id, file.mark, recorder.now(), rules)
      clientIds.add(record.clientId)
      const fields = before ? differingFields(before, { ...record, changedAt: before.changedAt }).map(publicName) : []
      if (before && fields.length === 0) {
        own.push(changeOf('application', record.name, []))
        continue
      }
      put.push(record)
      const { id, name, clientId, projectId } = record
      const subject = { kind: 'application', id } as const
      own.push({ ...(before ? changeOf('application', name, fields) : { kind: 'application', name, change: 'create' }), ...made })
      events.push(
        before
          ? recorder.event('application.changed', actor, subject, { fields })
          : recorder.event('application.created', actor, subject, { name, clientId, projectId }),
      )
    }
    changes.set(after.id, own)
  }

  const removed = file.prune ? stored.applications.filter((each) => each.provisionedBy === file.mark && !matched.has(each.id)) : []
  for (const { id, clientId } of removed) {
    clientIds.delete(clientId)
    events.push(recorder.event('application.removed', actor, { kind: 'application', id }, { clientId }))
  }
  return { put, removed, events, changes, clientIds }
}

/** Each application of the file with the stored one that it means: by id or client id, otherwise by its name within the project. */
function matchesOf(
  project: WantedProject,
  { id: projectId, name: projectName }: Project,
  stored: StoredCatalogue,
  faults: Faults,
): readonly [WantedApplication, Application | undefined][] {
  const inProject = stored.applications.filter((each) => each.projectId === projectId)
  const certain = new Map<WantedApplication, Application>()
  for (const wanted of project.applications) {
    const found =
      stored.applications.find(({ id }) => id === wanted.id) ?? stored.applications.find(({ clientId }) => clientId === wanted.clientId)
    if (found?.projectId === projectId) certain.set(wanted, found)
    else if (found) {
      const field = found.id === wanted.id ? 'id' : 'clientId'
      faults.add([...wanted.path, field], `is taken by an application of another project than ${JSON.stringify(projectName)}`)
    }
  }
  const taken = new Set([...certain.values()].map(({ id }) => id))
  return project.applications.map((wanted) => {
    const [byName, ...others] = inProject.filter((each) => each.name === wanted.name && !taken.has(each.id))
    const before = certain.get(wanted) ?? byName
    if (before) taken.add(before.id)
    const add = (field: string, reason: string) => faults.add([...wanted.path, field], reason)
    if (!certain.has(wanted) && others.length > 0) add('name', 'the store has several applications of this name here; give a clientId')
    else if (
      !before &&
      project.applications.some((each) => each !== wanted && each.name === wanted.name && !(each.clientId && wanted.clientId))
    )
      add('name', `${JSON.stringify(wanted.name)} is listed twice; give each a clientId`)
    if (before && wanted.id !== undefined && wanted.id !== before.id) add('id', `is ${before.id} in the store, and an id cannot change`)
    if (before && wanted.clientId !== undefined && wanted.clientId !== before.clientId) {
      add('clientId', `is ${before.clientId} in the store, and a client id cannot change`)
    }
    return [wanted, before]
  })
}

/** The application as it will be, and the secret that was made for it, if one was. */
function applicationOf(
  { id, name, clientId, clientSecret, active, fields }: WantedApplication,
  before: Application | undefined,
  projectId: string,
  mark: string,
  at: Date,
  rules: Rules,
): [Application, Pick<Change, 'clientSecret'>] {
  const base = before ?? { id: id ?? newObjectId(at), projectId, clientId: clientId ?? newObjectId(at), provisionedBy: mark, createdAt: at }
  const { kept, made } = keptSecretOf({ ...fields, clientId: base.clientId }, before, rules, clientSecret)
  const record = { ...base, ...fields, name, ...kept, active: active ?? before?.active ?? true, changedAt: at }
  return [record, made === undefined ? {} : { clientSecret: made }]
}

const publicName = (field: string) => (field === 'clientSecretHash' || field === 'clientSecretSealed' ? 'clientSecret' : field)
