import { basename } from 'node:path'
import { z } from 'zod'
import type { Organization, Role, Settings } from '../applications/application.ts'
import { readApplication, type WantedApplication } from './application.ts'
import { readDocument } from './document.ts'
import type { Faults, Path } from './faults.ts'
import { flag, name as nameField, readFields, recordId, roleKey } from './fields.ts'
import { noteRepeated } from './rules.ts'
import { type ReadSecret, type SecretSources, secretReader } from './secrets.ts'
import { readOrganization, readSettings, settingsShapes } from './settings.ts'
import { readUser, type WantedUser } from './user.ts'

export interface WantedProject {
  readonly path: Path
  readonly name: string
  readonly id?: string
  /** Left out, a new project is active and an existing one stays as it is. */
  readonly active?: boolean
  readonly projectRoleAssertion: boolean
  readonly roles: readonly Role[]
  /** Some of the roles could not be read, so that nothing can be said about one that seems to be missing. */
  readonly rolesUnread: boolean
  readonly applications: readonly WantedApplication[]
}

/** A configuration file as it was read. It may have `faults`: they are thrown once the store was asked too, so that all are told together. */
export interface ConfigurationFile {
  /** The base name: what an apply makes remembers it, so that a later one with `prune` finds it. */
  readonly mark: string
  readonly prune: boolean
  readonly organization?: Partial<Pick<Organization, 'name' | 'primaryDomain' | 'logoUri' | 'accentColor'>>
  /** What the file says of the settings; the rest has its defaults. */
  readonly settings?: Partial<Settings>
  readonly projects: readonly WantedProject[]
  readonly users: readonly WantedUser[]
  readonly faults: Faults
}

const shape = {
  prune: flag,
  organization: z.unknown(),
  settings: z.unknown(),
  projects: z.array(z.unknown()),
  users: z.array(z.unknown()),
} as const

const projectShape = {
  name: nameField,
  id: recordId,
  active: flag,
  roles: z.array(z.unknown()),
  projectRoleAssertion: flag,
  applications: z.array(z.unknown()),
} as const

const roleShape = { key: roleKey, displayName: nameField, group: nameField } as const

/** The fields of everything else. */
export const fileShapes = [shape, ...settingsShapes, projectShape, roleShape]

/** Reads the text of a configuration file (YAML or JSON) that is called `name`. Faults are collected, not thrown. */
export function readConfigurationFile(source: string, name: string, secrets: SecretSources): ConfigurationFile {
  const { value, faults } = readDocument(source, name)
  const readSecret = secretReader(secrets, faults)
  const given = value === undefined ? {} : readFields(shape, value, [], faults)
  return {
    mark: basename(name),
    prune: given.prune ?? false,
    organization: 'organization' in given ? readOrganization(given.organization, faults) : undefined,
    settings: 'settings' in given ? readSettings(given.settings, faults) : undefined,
    projects: (given.projects ?? [])
      .map((project, index) => readProject(project, ['projects', index], faults, readSecret))
      .filter((project) => project !== undefined),
    users: (given.users ?? [])
      .map((user, index) => readUser(user, ['users', index], faults, readSecret))
      .filter((user) => user !== undefined),
    faults,
  }
}

/** One entry of `projects`; `undefined` when it has no name to go by. */
export function readProject(given: unknown, path: Path, faults: Pick<Faults, 'add'>, readSecret: ReadSecret): WantedProject | undefined {
  const values = readFields(projectShape, given, path, faults, { required: ['name'] })
  const listed = (values.roles ?? []).map((role, index) => readRole(role, [...path, 'roles', index], faults))
  const roles = listed.filter((role) => role !== undefined)
  const rolesUnread = roles.length < listed.length || (values.roles === undefined && Object.hasOwn(Object(given), 'roles'))
  noteRepeated(roles, 'key', ({ key }) => key, faults)
  const applications = (values.applications ?? [])
    .map((application, index) => readApplication(application, [...path, 'applications', index], faults, readSecret))
    .filter((application) => application !== undefined)
  if (values.name === undefined) return undefined
  const { name, id, active, projectRoleAssertion = false } = values
  const roleRecords = roles.map(({ path: _, ...role }) => role)
  return { path, name, id, active, projectRoleAssertion, roles: roleRecords, rolesUnread, applications }
}

function readRole(given: unknown, path: Path, faults: Pick<Faults, 'add'>): (Role & { readonly path: Path }) | undefined {
  const { key, displayName, group } = readFields(roleShape, given, path, faults, { required: ['key'] })
  return key === undefined ? undefined : { path, key, displayName, group }
}
