/**
 * The console: what administrators and managers see and do, by their roles. It calls the same functions of the domain as the APIs, and knows no more than they allow.
 */
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isMember } from '#src/domain/applications/ownRoles.ts'
import { type AreaKit, areaEndpoints, type Section } from '../kit/area.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import type { PageSessions } from '../kit/pageSessions.ts'
import { type ApplicationsNeeds, applicationPages } from './applications.ts'
import { type AppsNeeds, appPages } from './apps.ts'
import { type OverviewNeeds, overviewPages } from './overview.ts'
import { type ProjectsNeeds, projectPages } from './projects.ts'

export interface ConsoleNeeds extends OverviewNeeds, ProjectsNeeds, ApplicationsNeeds, AppsNeeds {
  readonly issuer: string
  readonly sessions: PageSessions
  /** Whoever proved who they are longer ago does it again when a session begins. */
  readonly maxAgeSeconds: number
  readonly catalogue: Catalogue
}

const scope = 'openid profile urn:zitadel:iam:org:project:id:zitadel:aud'

const sections: readonly Section[] = [
  { path: '', label: 'console.sections.overview' },
  { path: '/projects', label: 'console.sections.projects', permission: 'project.read' },
  { path: '/apps', label: 'consoleApps.title', permission: 'iam.read' },
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
    pages: [...overviewPages(needs), ...projectPages(needs), ...applicationPages(needs), ...appPages(needs)],
  })
