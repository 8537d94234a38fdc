/** What the APIs of both versions need to speak of projects, their roles, their applications and what is granted in them. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { Clock } from '#src/base/clock.ts'
import { textMethods } from '#src/base/text.ts'
import { isActive, type Project } from '#src/domain/applications/application.ts'
import type { Applications } from '#src/domain/applications/applications.ts'
import type { Catalogue, CatalogueRootView } from '#src/domain/applications/catalogue.ts'
import { ProjectNotFound } from '#src/domain/applications/failures.ts'
import type { Projects } from '#src/domain/applications/projects.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Grants } from '#src/domain/users/grants.ts'
import type { Users } from '#src/domain/users/users.ts'
import { StatusError } from './errors.ts'
import { textMethodOf, type UsersNeeds } from './users.ts'

export interface ProjectsNeeds {
  readonly projects: Projects
  readonly applications: Applications
  readonly grants: Grants
  readonly users: Users
  readonly catalogue: Pick<Catalogue, 'root' | 'listProjects' | 'listApplications'>
  readonly audit: Pick<AuditStore, 'list'>
  readonly issuer: string
  readonly now: Clock
  readonly ownProjectId: () => string
  readonly managing: UsersNeeds['managing']
  readonly organizationId: () => string
}

/** Something with times, and without a number of its changes. */
interface Dated {
  readonly createdAt: Date
  readonly changedAt: Date
}

/** Of something that is read. */
export const recordDetails = ({ createdAt, changedAt }: Dated, resourceOwner: string) => ({
  creationDate: timestampFromDate(createdAt),
  changeDate: timestampFromDate(changedAt),
  resourceOwner,
})

/** Of something that was just made. */
export const madeDetails = (at: Date, resourceOwner: string) => ({ creationDate: timestampFromDate(at), resourceOwner })

/** Of something that was just changed or removed. */
export const newDetails = (at: Date, resourceOwner: string) => ({ changeDate: timestampFromDate(at), resourceOwner })

/** The number of a project's state, in both versions. */
export const stateOf = (project: Project) => (isActive(project) ? 1 : 2)

/** The project of an id, as it is now. @throws ProjectNotFound */
export async function existingProject({ catalogue }: Pick<ProjectsNeeds, 'catalogue'>, id: string): Promise<Project> {
  const found = (await catalogue.listProjects()).find((project) => project.id === id)
  if (!found) throw new ProjectNotFound(id)
  return found
}

const mostQueries = 100

/** The queries of a list: each costs a pass over what is listed. @throws StatusError when there are too many */
export function few<T>(queries: readonly T[]): readonly T[] {
  if (queries.length > mostQueries) throw new StatusError('invalidArgument', 'Limit exceeded', { id: 'QUERY-4M0fs' })
  return queries
}

/** Whether a text passes a query, whose method is a number in protobuf. */
export const passes = (value: string | undefined, text: string, method: number): boolean =>
  value !== undefined && textMethods[textMethodOf(method)](value, text)

/** Refuses settings of a project that nothing here would heed. @throws StatusError 501 */
export function assertNoChecks(checks: Readonly<Record<string, boolean | undefined>>): void {
  const [asked] = Object.entries(checks).find(([, on]) => on) ?? []
  if (asked !== undefined)
    throw new StatusError(
      'unimplemented',
      `${asked} must be false: whether somebody was granted something is not looked at when they sign in`,
    )
}

/** Text, where there is any. */
export const textOrNone = (text: string) => (text === '' ? undefined : text)

/** Languages of the pages. */
export const supportedLanguages = ['en'] as const

/** Of the organization: it was made with Dossier's own project. */
export function organizationDetails({ organization, ownProjectId, projects }: CatalogueRootView) {
  const own = projects.get(ownProjectId)
  return {
    ...(own && { creationDate: timestampFromDate(own.createdAt), changeDate: timestampFromDate(own.createdAt) }),
    resourceOwner: organization.id,
  }
}

/** How many there are in all, and how many are told at once. */
export const pageDetails = (total: number, limit: number) => ({ totalResult: BigInt(total), appliedLimit: BigInt(limit) })

/** `rows` in the order of a column, ascending; as they are without one. */
export function sorted<T>(rows: readonly T[], column: ((row: T) => string | number) | undefined): readonly T[] {
  if (!column) return rows
  return rows.toSorted((a, b) => (column(a) < column(b) ? -1 : column(a) > column(b) ? 1 : 0))
}
