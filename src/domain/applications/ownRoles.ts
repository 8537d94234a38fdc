/**
 * Roles of Dossier's own project: what somebody may do to Dossier itself. Keys of roles and names of permissions are ZITADEL's. An administrator
 * may do everything.
 */
import type { Role } from './application.ts'

interface OwnRole extends Role {
  /** Names of permissions; `*` stands for anything at an end. */
  readonly permissions?: readonly string[]
}

/** Who may act for others (token exchange): for people, or also for administrators. */
const impersonators = ['IAM_END_USER_IMPERSONATOR', 'ORG_END_USER_IMPERSONATOR']
const adminImpersonators = ['IAM_ADMIN_IMPERSONATOR', 'ORG_ADMIN_IMPERSONATOR']

const roles: readonly OwnRole[] = [
  { key: 'IAM_OWNER', displayName: 'May do everything', group: 'Administration', permissions: ['*'] },
  { key: 'IAM_OWNER_VIEWER', displayName: 'May see everything', group: 'Administration', permissions: ['*.read'] },
  {
    key: 'ORG_OWNER',
    displayName: 'Manages users, projects and applications',
    group: 'Administration',
    permissions: ['org.read', 'org.write', 'org.global.read', 'org.member.*', 'policy.*', 'user.*', 'session.*', 'project.*'],
  },
  {
    key: 'ORG_USER_MANAGER',
    displayName: 'Manages users and what they are granted',
    group: 'Administration',
    permissions: [
      'org.read',
      'org.global.read',
      'policy.read',
      'user.*',
      'session.read',
      'session.delete',
      'project.read',
      'project.role.read',
    ],
  },
  {
    key: 'PROJECT_OWNER',
    displayName: 'Manages projects and applications',
    group: 'Administration',
    permissions: [
      ...['org.global.read', 'policy.read', 'project.read', 'project.write', 'project.delete', 'project.member.*', 'project.role.*'],
      ...['project.app.*', 'project.grant.*', 'user.global.read', 'user.grant.*', 'user.membership.read'],
    ],
  },
  {
    key: 'IAM_LOGIN_CLIENT',
    displayName: 'Signs people in, on a page of its own',
    group: 'Administration',
    permissions: ['org.read', 'policy.read', 'iam.policy.read', 'user.read', 'user.global.read', 'session.*'],
  },
  { key: 'IAM_END_USER_IMPERSONATOR', displayName: 'May act for people', group: 'Impersonation' },
  { key: 'ORG_END_USER_IMPERSONATOR', displayName: 'May act for people', group: 'Impersonation' },
  { key: 'IAM_ADMIN_IMPERSONATOR', displayName: 'May act for people and administrators', group: 'Impersonation' },
  { key: 'ORG_ADMIN_IMPERSONATOR', displayName: 'May act for people and administrators', group: 'Impersonation' },
]

export const ownRoles: readonly Role[] = roles.map(({ permissions: _, ...role }) => role)

const permissionsOf = new Map(roles.map(({ key, permissions = [] }) => [key, permissions]))

/** Whether somebody who holds roles of Dossier's own project may do what `permission` names, like `user.grant.write`. */
export const allows = (held: readonly string[], permission: string) =>
  held.some((role) => permissionsOf.get(role)?.some((pattern) => covers(pattern, permission)))

/** Whether any of the roles manages anything. */
export const isMember = (held: readonly string[]) => held.some((role) => (permissionsOf.get(role)?.length ?? 0) > 0)

function covers(pattern: string, permission: string): boolean {
  if (pattern === '*') return true
  if (pattern.startsWith('*')) return permission.endsWith(pattern.slice(1))
  return pattern.endsWith('*') ? permission.startsWith(pattern.slice(0, -1)) : pattern === permission
}

/** Whether somebody who holds `roles` may act for a user, who may be an administrator. */
export const mayImpersonate = (held: readonly string[], isAdministrator: boolean) =>
  held.some((role) => adminImpersonators.includes(role) || (!isAdministrator && impersonators.includes(role)))
