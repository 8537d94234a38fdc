import type { ClientSession } from 'mongodb'
import { type Application, ClientIdTaken, type Project } from '#src/domain/applications/application.ts'
import type { CatalogueStore, ChangeScope, RecordsChange } from '#src/domain/applications/store.ts'
import { writeEvents } from './audit.ts'
import type { Connection } from './connection.ts'
import { refusing } from './failures.ts'
import { type Revision, rootId, rootOf } from './revision.ts'

interface ProjectDocument extends Omit<Project, 'id'> {
  readonly _id: string
}

/** The keys of an application are somebody else's JSON, with any member names: one text. */
interface ApplicationDocument extends Omit<Application, 'id' | 'jwks'> {
  readonly _id: string
  readonly jwks?: string
}

const oldestFirst = { createdAt: 1, _id: 1 } as const

export function createCatalogueStore(connection: Connection, revision: Revision): CatalogueStore {
  const { database } = connection
  const root = rootOf(database)
  const projects = database.collection<ProjectDocument>('projects')
  const applications = database.collection<ApplicationDocument>('applications')

  async function putApplication(application: Application, session: ClientSession): Promise<void> {
    const { id, jwks, ...rest } = application
    const document = { ...rest, ...(jwks && { jwks: JSON.stringify(jwks) }) }
    const write = applications.replaceOne({ _id: id }, document, { upsert: true, session })
    await refusing(write, (cause) => new ClientIdTaken(application.clientId, { cause }))
  }

  async function write(change: RecordsChange, session: ClientSession): Promise<void> {
    const { removeApplications = [], removeProjects = [], putProjects = [], putApplications = [] } = change
    if (removeApplications.length > 0) await applications.deleteMany({ _id: { $in: [...removeApplications] } }, { session })
    if (removeProjects.length > 0) await projects.deleteMany({ _id: { $in: [...removeProjects] } }, { session })
    for (const { id, ...project } of putProjects) await projects.replaceOne({ _id: id }, project, { upsert: true, session })
    for (const application of putApplications) await putApplication(application, session)
    await writeEvents(database, change.events, session)
  }

  const allProjects = async (session?: ClientSession) => (await projects.find({}, { session }).sort(oldestFirst).toArray()).map(projectOf)

  const applicationsOf = async ({ projectId, clientId }: ChangeScope, session?: ClientSession) => {
    const filter = clientId === undefined ? { projectId } : { projectId, clientId }
    return (await applications.find(filter, { session }).sort(oldestFirst).toArray()).map(applicationOf)
  }

  return {
    root: () =>
      connection.run(async () => {
        const { organization, settings, ownProjectId } = (await root.findOne({ _id: rootId })) ?? {}
        return organization && settings && ownProjectId ? { organization, settings, ownProjectId } : undefined
      }),

    listProjects: () => connection.run(() => allProjects()),

    findProject: (id) =>
      connection.run(async () => {
        const document = await projects.findOne({ _id: id })
        return document ? projectOf(document) : undefined
      }),

    findApplication: (clientId) =>
      connection.run(async () => {
        const document = await applications.findOne({ clientId })
        return document ? applicationOf(document) : undefined
      }),

    findApplicationById: (id) =>
      connection.run(async () => {
        const document = await applications.findOne({ _id: id })
        return document ? applicationOf(document) : undefined
      }),

    listApplications: (projectId) => connection.run(() => applicationsOf({ projectId })),

    countApplications: () =>
      connection.run(async () => {
        const counts = await applications
          .aggregate<{ _id: string; count: number }>([{ $group: { _id: '$projectId', count: { $sum: 1 } } }])
          .toArray()
        return new Map(counts.map(({ _id, count }) => [_id, count]))
      }),

    commit: ({ organization, settings, ownProjectId, basis, ...change }) =>
      revision.moving((session) => write(change, session), { organization, settings, ownProjectId }, basis),

    async change(scope, decide) {
      await revision
        .moving(async (session) => {
          const change = decide({ projects: await allProjects(session), applications: await applicationsOf(scope, session) })
          if (!change) throw nothing
          await write(change, session)
        })
        .catch((error: unknown) => {
          if (error !== nothing) throw error
        })
    },

    revision: revision.read,
    newestRevision: () => connection.run(revision.stored),
  }
}

/** Ends a transaction that has nothing to write. */
const nothing = new Error('nothing is to change')

const projectOf = ({ _id, ...project }: ProjectDocument): Project => ({ id: _id, ...project })

const applicationOf = ({ _id, jwks, ...application }: ApplicationDocument): Application => ({
  id: _id,
  ...application,
  ...(jwks !== undefined && { jwks: JSON.parse(jwks) }),
})
