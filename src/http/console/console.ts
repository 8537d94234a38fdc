/**
 * The console: what administrators and managers see and do, by their roles. It calls the same functions of the domain as the APIs, and knows no more than they allow.
 */
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isMember } from '#src/domain/applications/ownRoles.ts'
import type { Apps } from '#src/domain/apps/apps.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Keys } from '#src/domain/keys/keys.ts'
import type { Tasks } from '#src/domain/triggers/tasks.ts'
import type { UserBrowsing } from '#src/domain/users/browse.ts'
import type { Users } from '#src/domain/users/users.ts'
import { type AreaKit, areaEndpoints, type Section } from '../kit/area.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import type { PageSessions } from '../kit/pageSessions.ts'
import { type ApplicationsNeeds, applicationPages } from './applications.ts'
import { type AppsNeeds, appPages } from './apps.ts'
import { type AuditNeeds, auditPages } from './audit.ts'
import { type KeysNeeds, keyPages } from './keys.ts'
import { type OverviewNeeds, overviewPages } from './overview.ts'
import { type ProjectsNeeds, projectPages } from './projects.ts'
import { type SettingsNeeds, settingsPages } from './settings.ts'
import { type AboutUsers, userPages } from './userPages.ts'

/** What all pages need; a name that several of them have stands below, for all that they do with it. */
type Needs = OverviewNeeds &
  ProjectsNeeds &
  ApplicationsNeeds &
  AppsNeeds &
  SettingsNeeds &
  KeysNeeds &
  AuditNeeds &
  Omit<AboutUsers, 'csrf'>

export interface ConsoleNeeds extends Omit<Needs, 'catalogue' | 'audit' | 'keys' | 'browsing' | 'users' | 'apps' | 'triggerTasks'> {
  readonly sessions: PageSessions
  /** Whoever proved who they are longer ago does it again when a session begins. */
  readonly maxAgeSeconds: number
  readonly catalogue: Catalogue
  readonly keys: Keys
  readonly browsing: UserBrowsing
  readonly users: Users
  readonly apps: Apps
  readonly triggerTasks: Tasks
  readonly audit: Pick<AuditStore, 'list' | 'record' | 'changes'>
}

const scope = 'openid profile urn:zitadel:iam:org:project:id:zitadel:aud'

const sections: readonly Section[] = [
  { path: '', label: 'console.sections.overview' },
  { path: '/users', label: 'console.sections.users', permission: 'user.read' },
  { path: '/projects', also: '/applications', label: 'console.sections.projects', permission: 'project.read' },
  { path: '/apps', label: 'consoleApps.title', permission: 'iam.read' },
  { path: '/settings', label: 'console.sections.settings', permission: 'iam.policy.read' },
  { path: '/keys', label: 'console.sections.keys', permission: 'iam.read' },
  { path: '/audit', label: 'console.sections.audit', permission: 'events.read' },
]

/** The addresses of the console. */
export const consoleEndpoints = (kit: AreaKit, needs: ConsoleNeeds): readonly Endpoint[] =>
  areaEndpoints(kit, {
    area: 'console',
    sessions: needs.sessions,
    scope,
    maxAgeSeconds: needs.maxAgeSeconds,
    sections,
    admits: isMember,
    pages: [
      ...overviewPages(needs),
      ...userPages({ ...needs, csrf: kit.csrf }),
      ...projectPages(needs),
      ...applicationPages(needs),
      ...appPages(needs),
      ...settingsPages(needs),
      ...keyPages(needs),
      ...auditPages(needs),
    ],
  })
