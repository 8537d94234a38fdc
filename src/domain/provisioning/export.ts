import { formatDuration } from '#src/base/duration.ts'
import { everyItem } from '#src/base/page.ts'
import type { Application, Organization, Project, Settings } from '../applications/application.ts'
import type { Catalogue } from '../applications/catalogue.ts'
import type { MetadataEntry } from '../metadata/metadata.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import { printableText } from './printable.ts'

/** Plain data of the configuration file's format, in the order in which it is written down. */
export type Plain = Readonly<Record<string, unknown>>

export interface Exported {
  /** Organization, settings and projects. */
  readonly catalogue: Plain
  /** Users one after the other, read a page at a time. */
  users(): AsyncGenerator<Plain>
}

export interface ExportDeps {
  readonly catalogue: Pick<Catalogue, 'root' | 'listProjects' | 'listApplications'>
  readonly users: Pick<Users, 'list' | 'findWithMetadata'>
}

/** What is stored, as a configuration file without its secrets. Dossier's own project is left out. */
export function createExport({ catalogue, users }: ExportDeps) {
  return async (): Promise<Exported> => {
    const { organization, settings, ownProjectId } = await catalogue.root()
    const all = await catalogue.listProjects()
    const projects = all.filter(({ id }) => id !== ownProjectId)
    const nameOf = projectNames(all)
    const projectsById = new Map(all.map((project) => [project.id, project]))
    return {
      catalogue: {
        organization: organizationOf(organization),
        settings: settingsOf(settings),
        projects: await Promise.all(projects.map(async (project) => projectOf(project, await catalogue.listApplications(project.id)))),
      },
      async *users() {
        for await (const { id } of everyItem(users.list)) {
          // Somebody may have been removed since the page was read.
          const found = await users.findWithMetadata(id)
          if (found) yield userOf(found.user, found.metadata, nameOf, projectsById)
        }
      },
    }
  }
}

/** The organization as it stands in the file. */
export const organizationOf = ({ name, primaryDomain, logoUri, accentColor }: Organization): Plain =>
  defined({ name, primaryDomain, logoUri, accentColor })

/** The settings as they stand in the file. */
export const settingsOf = (settings: Settings): Plain => ({
  registration: registrationOf(settings),
  dynamicClientRegistration: settings.dynamicClientRegistration,
  accessTokenTtl: formatDuration(settings.accessTokenTtlSeconds),
  idTokenTtl: formatDuration(settings.idTokenTtlSeconds),
  refreshTokenTtl: formatDuration(settings.refreshTokenTtlSeconds),
  sessionTtl: formatDuration(settings.sessionTtlSeconds),
  selfManagedMetadata: settings.selfManagedMetadata,
  selfManagedProfile: settings.selfManagedProfile,
  accountDeletionGrace: formatDuration(settings.accountDeletionGraceSeconds),
})

/** In its short form where that says everything. */
function registrationOf({ registration: mode, registrationFields: fields }: Settings): unknown {
  return fields.length === 0 ? mode : { mode, fields: fields.map((field) => defined({ ...field })) }
}

/** By id: the name where only one project has it, otherwise the id itself. */
function projectNames(projects: readonly Project[]): ReadonlyMap<string, string> {
  const sharing = Map.groupBy(projects, ({ name }) => name)
  return new Map(projects.map(({ id, name }) => [id, sharing.get(name)?.length === 1 ? name : id]))
}

/** A project as it stands in the file. */
export const projectOf = ({ name, id, active, roles, projectRoleAssertion }: Project, applications: readonly Application[]): Plain =>
  defined({
    name,
    id,
    active,
    roles: roles.map(({ key, displayName, group }) => defined({ key, displayName, group })),
    projectRoleAssertion,
    applications: applications.map(applicationOf),
  })

/** An application as it stands in the file. */
export function applicationOf({ name, id, clientId, active, clockSkewSeconds, ...rest }: Application): Plain {
  const { projectId: _project, provisionedBy: _mark, createdAt: _made, changedAt: _changed, ...others } = rest
  const { clientSecretHash: _hash, clientSecretSealed: _sealed, ...fields } = others
  return defined({
    name,
    id,
    clientId,
    active: active ? undefined : false,
    ...fields,
    clockSkew: formatDuration(clockSkewSeconds),
  })
}

/** What is switched off is left out: somewhere else it would come back switched on. */
function rolesOf(user: User, nameOf: ReadonlyMap<string, string>, projects: ReadonlyMap<string, Project>) {
  return Object.entries(user.roles)
    .filter(([id]) => !user.inactiveGrants?.includes(id))
    .map(([id, keys]) => [nameOf.get(id), keys.filter((key) => projects.get(id)?.roles.some((role) => role.key === key))] as const)
    .filter(([, keys]) => keys.length > 0)
}

function userOf(
  user: User,
  metadata: readonly MetadataEntry[],
  nameOf: ReadonlyMap<string, string>,
  projects: ReadonlyMap<string, Project>,
): Plain {
  const { address, ...profile } = user.profile
  const roles = rolesOf(user, nameOf, projects)
  return defined({
    username: user.username,
    id: user.id,
    kind: user.kind,
    state: user.state === 'active' ? undefined : user.state,
    ...profile,
    address: address && addressOf(address),
    metadata: metadata.length === 0 ? undefined : Object.fromEntries(metadata.map(({ key, value }) => [key, valueFrom(value)])),
    roles: roles.length === 0 ? undefined : Object.fromEntries(roles),
    admin: user.admin,
  })
}

function addressOf({ street_address, postal_code, ...rest }: NonNullable<User['profile']['address']>): Plain {
  return defined({ ...rest, streetAddress: street_address, postalCode: postal_code })
}

/** Text where the bytes are text, so that people can read and edit it. */
const valueFrom = (bytes: Uint8Array): unknown => printableText(bytes) ?? { base64: Buffer.from(bytes).toString('base64') }

const defined = (members: Record<string, unknown>): Plain =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
