import type { User } from '../users/user.ts'
import type { Project } from './application.ts'

type Granted = Pick<User, 'roles' | 'inactiveGrants'>

/** The role keys that somebody was granted in a project, unless that is switched off. */
export function grantedIn({ roles, inactiveGrants = [] }: Granted, projectId: string): readonly string[] {
  if (inactiveGrants.includes(projectId)) return []
  return (Object.hasOwn(roles, projectId) ? roles[projectId] : undefined) ?? []
}

/** Those of them that the project still has: what tokens say. */
export function heldIn(user: Granted, project: Pick<Project, 'id' | 'roles'> | undefined): readonly string[] {
  if (!project) return []
  const granted = grantedIn(user, project.id)
  return granted.length === 0 ? granted : granted.filter((role) => project.roles.some(({ key }) => key === role))
}
