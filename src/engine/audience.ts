import { isRegistered } from '#src/domain/applications/application.ts'
import type { ApplicationView } from '#src/domain/applications/catalogue.ts'
import type { ScopeRequest } from './scopes.ts'

/**
 * `aud` of an access token, as ZITADEL has it: the application, the other applications of its project, the project; and the projects
 * that a scope `urn:zitadel:iam:org:project:id:{id}:aud` names, where the literal `zitadel` stands for Dossier itself. An application
 * with `audience: client` is alone with what it asked for by name; one that registered itself is alone, whatever it asks for.
 */
export function audienceOf(
  clientId: string,
  view: ApplicationView | undefined,
  { projects }: ScopeRequest,
  ownProjectId: string,
): readonly string[] {
  if (view && isRegistered(view.application)) return [clientId]
  const audience = new Set([clientId])
  if (view && view.application.audience === 'project') {
    for (const sibling of view.siblingClientIds) audience.add(sibling)
    audience.add(view.project.id)
  }
  for (const project of projects) audience.add(project === 'zitadel' ? ownProjectId : project)
  return [...audience]
}
