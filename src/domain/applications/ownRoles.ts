/** Roles of Dossier's own project: what somebody may do to Dossier itself. Keys are ZITADEL's. */
import type { Role } from './application.ts'

/** Who may act for others (token exchange): for people, or also for administrators. */
const impersonators = ['IAM_END_USER_IMPERSONATOR', 'ORG_END_USER_IMPERSONATOR']
const adminImpersonators = ['IAM_ADMIN_IMPERSONATOR', 'ORG_ADMIN_IMPERSONATOR']

export const ownRoles: readonly Role[] = [
  { key: 'IAM_END_USER_IMPERSONATOR', displayName: 'May act for people', group: 'Impersonation' },
  { key: 'ORG_END_USER_IMPERSONATOR', displayName: 'May act for people', group: 'Impersonation' },
  { key: 'IAM_ADMIN_IMPERSONATOR', displayName: 'May act for people and administrators', group: 'Impersonation' },
  { key: 'ORG_ADMIN_IMPERSONATOR', displayName: 'May act for people and administrators', group: 'Impersonation' },
]

/** Whether somebody who holds `roles` may act for a user, who may be an administrator. */
export const mayImpersonate = (roles: readonly string[], isAdministrator: boolean) =>
  roles.some((role) => adminImpersonators.includes(role) || (!isAdministrator && impersonators.includes(role)))
