import { type Application, CatalogueMoved, ClientIdTaken, type Project } from '#src/domain/applications/application.ts'
import type { CatalogueChange, CatalogueStore, ChangeScope } from '#src/domain/applications/store.ts'
import { writeEvents } from './audit.ts'
import type { Database } from './database.ts'
import { violatedIndex } from './failures.ts'
import type { Revision } from './revision.ts'

interface RootRow {
  readonly organization: string | null
  readonly settings: string | null
  readonly own_project_id: string | null
}

interface DocumentRow {
  readonly created_at: number
  readonly changed_at: number
  readonly document: string
}

const columns = 'created_at, changed_at, document'

export function createCatalogueStore(database: Database, revision: Revision): CatalogueStore {
  const allProjects = () => database.all<DocumentRow>(`SELECT ${columns} FROM projects ORDER BY created_at, id`).map(recordOf<Project>)

  function applicationsOf({ projectId, clientId }: ChangeScope): readonly Application[] {
    const [narrowed, parameters] = clientId === undefined ? ['', [projectId]] : [' AND client_id = ?', [projectId, clientId]]
    const sql = `SELECT ${columns} FROM applications WHERE project_id = ?${narrowed} ORDER BY created_at, id`
    return database.all<DocumentRow>(sql, ...parameters).map(recordOf<Application>)
  }

  /** Only inside `write`. */
  function write(change: CatalogueChange): void {
    if (change.basis !== undefined && change.basis !== revision.stored()) throw new CatalogueMoved()
    writeRoot(database, change)
    for (const id of change.removeApplications ?? []) database.run('DELETE FROM applications WHERE id = ?', id)
    for (const id of change.removeProjects ?? []) database.run('DELETE FROM projects WHERE id = ?', id)
    for (const project of change.putProjects ?? []) putProject(database, project)
    for (const application of change.putApplications ?? []) putApplication(database, application)
    revision.move()
    writeEvents(database, change.events)
  }

  return {
    root: () =>
      database.read(() => {
        const row = database.get<RootRow>('SELECT organization, settings, own_project_id FROM catalogue')
        if (!row?.organization || !row.settings || !row.own_project_id) return undefined
        return { organization: JSON.parse(row.organization), settings: JSON.parse(row.settings), ownProjectId: row.own_project_id }
      }),

    listProjects: () => database.read(allProjects),

    findProject: (id) =>
      database.read(() => {
        const row = database.get<DocumentRow>(`SELECT ${columns} FROM projects WHERE id = ?`, id)
        return row && recordOf<Project>(row)
      }),

    findApplication: (clientId) =>
      database.read(() => {
        const row = database.get<DocumentRow>(`SELECT ${columns} FROM applications WHERE client_id = ?`, clientId)
        return row && recordOf<Application>(row)
      }),

    findApplicationById: (id) =>
      database.read(() => {
        const row = database.get<DocumentRow>(`SELECT ${columns} FROM applications WHERE id = ?`, id)
        return row && recordOf<Application>(row)
      }),

    listApplications: (projectId) => database.read(() => applicationsOf({ projectId })),

    countApplications: () =>
      database.read(() => {
        const sql = 'SELECT project_id, count(*) AS count FROM applications GROUP BY project_id'
        return new Map(database.all<{ project_id: string; count: number }>(sql).map(({ project_id, count }) => [project_id, count]))
      }),

    commit: (change) => database.write(() => write(change)),

    change: (scope, decide) =>
      database.write(() => {
        const change = decide({ projects: allProjects(), applications: applicationsOf(scope) })
        if (change) write(change)
      }),

    revision: revision.read,
    newestRevision: () => database.read(revision.stored),
  }
}

function writeRoot(database: Database, { organization, settings, ownProjectId }: CatalogueChange): void {
  if (organization) database.run('UPDATE catalogue SET organization = ?', JSON.stringify(organization))
  if (settings) database.run('UPDATE catalogue SET settings = ?', JSON.stringify(settings))
  if (ownProjectId !== undefined) database.run('UPDATE catalogue SET own_project_id = ?', ownProjectId)
}

function putProject(database: Database, project: Project): void {
  database.run(
    `INSERT INTO projects (id, ${columns}) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
     created_at = excluded.created_at, changed_at = excluded.changed_at, document = excluded.document`,
    project.id,
    project.createdAt.getTime(),
    project.changedAt.getTime(),
    documentOf(project),
  )
}

function putApplication(database: Database, application: Application): void {
  try {
    database.run(
      `INSERT INTO applications (id, project_id, client_id, ${columns}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
       project_id = excluded.project_id, client_id = excluded.client_id,
       created_at = excluded.created_at, changed_at = excluded.changed_at, document = excluded.document`,
      application.id,
      application.projectId,
      application.clientId,
      application.createdAt.getTime(),
      application.changedAt.getTime(),
      documentOf(application),
    )
  } catch (error) {
    throw violatedIndex(error) === 'applications.client_id' ? new ClientIdTaken(application.clientId, { cause: error }) : error
  }
}

const documentOf = ({ createdAt, changedAt, ...rest }: Project | Application) => JSON.stringify(rest)

function recordOf<T extends Project | Application>({ created_at, changed_at, document }: DocumentRow): T {
  return { ...JSON.parse(document), createdAt: new Date(created_at), changedAt: new Date(changed_at) }
}
