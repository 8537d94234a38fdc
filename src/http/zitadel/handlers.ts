import type { ActionsNeeds } from './action/action.ts'
import type { Handler } from './handler.ts'
import type { MetadataNeeds } from './metadata.ts'
import type { ProjectsNeeds } from './projects.ts'
import type { SessionsNeeds } from './session/session.ts'
import type { UsersNeeds } from './users.ts'

export type HandlerNeeds = MetadataNeeds & UsersNeeds & SessionsNeeds & ActionsNeeds & ProjectsNeeds

/** The handlers of one service by the names of their RPCs. */
type ServiceHandlers = ReadonlyMap<string, Handler>
type Make = (needs: HandlerNeeds) => readonly Handler[]

/** Every service that is served, with its handlers. They are loaded with the first call, because descriptors take memory. To serve another RPC, add its handler to its service's list. */
const services: Readonly<Record<string, () => Promise<Make>>> = {
  'zitadel.auth.v1.AuthService': async () => (await import('./auth/auth.ts')).authHandlers,
  'zitadel.management.v1.ManagementService': async () => (await import('./management/management.ts')).managementHandlers,
  'zitadel.session.v2.SessionService': async () => (await import('./session/session.ts')).sessionHandlers,
  'zitadel.action.v2beta.ActionService': async () => (await import('./action/action.ts')).actionHandlers,
  'zitadel.oidc.v2.OIDCService': async () => (await import('./oidc/oidc.ts')).oidcHandlers,
  'zitadel.project.v2beta.ProjectService': async () => (await import('./project/project.ts')).projectHandlers,
  'zitadel.app.v2beta.AppService': async () => (await import('./app/app.ts')).appHandlers,
  'zitadel.authorization.v2beta.AuthorizationService': async () => (await import('./authorization/authorization.ts')).authorizationHandlers,
  'zitadel.org.v2.OrganizationService': async () => (await import('./org/org.ts')).organizationHandlers,
  'zitadel.settings.v2.SettingsService': async () => (await import('./settings/settings.ts')).settingsHandlers,
  'zitadel.user.v2.UserService': async () => (await import('./user/user.ts')).userHandlers,
}

export const servedServices: readonly string[] = Object.keys(services)

/** Finds the handlers of a service by its name in protobuf: at once when they are loaded. A service that is not served has none. */
export function createHandlers(needs: HandlerNeeds): (service: string) => ServiceHandlers | Promise<ServiceHandlers> {
  const loaded = new Map<string, ServiceHandlers>()
  async function load(service: string): Promise<ServiceHandlers> {
    const make = Object.hasOwn(services, service) ? await services[service]?.() : undefined
    const handlers = new Map((make?.(needs) ?? []).map((handler) => [handler.rpc.name, handler]))
    loaded.set(service, handlers)
    return handlers
  }
  return (service) => loaded.get(service) ?? load(service)
}
