/**
 * The console: what administrators and managers see and do, by their roles. It calls the same functions of the domain as the APIs, and knows no more than they allow.
 */
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isMember } from '#src/domain/applications/ownRoles.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { AreaPage } from '../kit/area.ts'
import { type AreaKit, areaEndpoints, type Section } from '../kit/area.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import type { PageSessions } from '../kit/pageSessions.ts'
import { type ApplicationsNeeds, applicationPages } from './applications.ts'
import { newUserPages } from './newUser.ts'
import { type OverviewNeeds, overviewPages } from './overview.ts'
import { type ProjectsNeeds, projectPages } from './projects.ts'
import { type UserCredentialsNeeds, userCredentialsPages } from './userCredentials.ts'
import { type UserCustomDataNeeds, userCustomDataPages } from './userCustomData.ts'
import { type UserHistoryNeeds, userHistoryPages } from './userHistory.ts'
import { type UserIdentitiesNeeds, userIdentitiesPages } from './userIdentities.ts'
import { userMetadataPages } from './userMetadata.ts'
import { type UserMetadataEntryNeeds, userMetadataEntryPages } from './userMetadataEntry.ts'
import { userMetadataPastePages } from './userMetadataPaste.ts'
import { userOverviewPages } from './userOverview.ts'
import { type UserPasswordNeeds, userPasswordPages } from './userPassword.ts'
import { type UserPreviewNeeds, userPreviewPages } from './userPreview.ts'
import { userProfilePages } from './userProfile.ts'
import { userRightsPages } from './userRights.ts'
import { type UserRolesNeeds, userRolesPages } from './userRoles.ts'
import { type UserSessionsNeeds, userSessionsPages } from './userSessions.ts'
import { userStatePages } from './userState.ts'
import { type UsersNeeds, usersPages } from './users.ts'

/** What the pages about users need. */
type AboutUsers = UsersNeeds &
  UserPasswordNeeds &
  UserRolesNeeds &
  UserSessionsNeeds &
  UserCredentialsNeeds &
  UserIdentitiesNeeds &
  UserHistoryNeeds &
  UserMetadataEntryNeeds &
  UserPreviewNeeds &
  UserCustomDataNeeds

export interface ConsoleNeeds extends OverviewNeeds, ProjectsNeeds, ApplicationsNeeds, Omit<AboutUsers, 'csrf' | 'catalogue' | 'audit'> {
  readonly sessions: PageSessions
  /** Whoever proved who they are longer ago does it again when a session begins. */
  readonly maxAgeSeconds: number
  readonly catalogue: Catalogue
  readonly audit: Pick<AuditStore, 'list' | 'record' | 'changes'>
}

const scope = 'openid profile urn:zitadel:iam:org:project:id:zitadel:aud'

const sections: readonly Section[] = [
  { path: '', label: 'console.sections.overview' },
  { path: '/users', label: 'console.sections.users', permission: 'user.read' },
  { path: '/projects', label: 'console.sections.projects', permission: 'project.read' },
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
    pages: [...overviewPages(needs), ...userPages({ ...needs, csrf: kit.csrf }), ...projectPages(needs), ...applicationPages(needs)],
  })

const userPages = (needs: AboutUsers): readonly AreaPage[] => [
  ...usersPages(needs),
  ...newUserPages(needs),
  ...userOverviewPages(needs),
  ...userProfilePages(needs),
  ...userStatePages(needs),
  ...userPasswordPages(needs),
  ...userRolesPages(needs),
  ...userRightsPages(needs),
  ...userSessionsPages(needs),
  ...userCredentialsPages(needs),
  ...userIdentitiesPages(needs),
  ...userHistoryPages(needs),
  ...userMetadataPages(needs),
  ...userMetadataPastePages(needs),
  ...userMetadataEntryPages(needs),
  ...userPreviewPages(needs),
  ...userCustomDataPages(needs),
]
