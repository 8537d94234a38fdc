import type { DescService } from '@bufbuild/protobuf'
import { createRoutes, type Routes } from './routes.ts'

/** A service by its name in protobuf. Its descriptors are loaded when somebody asks for it: those of everything take 45 MB and a quarter of a second. */
interface PublishedService {
  readonly name: string
  readonly load: () => Promise<DescService>
}

/** Services that share the beginning of their addresses. The annotations of the first API are relative to `base`, those of the second are not. */
interface PublishedGroup {
  readonly prefix: string
  readonly base: string
  readonly services: readonly PublishedService[]
}

const service = (name: string, load: () => Promise<DescService>): PublishedService => ({ name, load })

/** All that ZITADEL publishes with addresses of their own for REST. */
export const published: readonly PublishedGroup[] = [
  {
    prefix: '/auth/v1/',
    base: '/auth/v1',
    services: [service('zitadel.auth.v1.AuthService', async () => (await import('@zitadel/proto/zitadel/auth_pb.js')).AuthService)],
  },
  {
    prefix: '/management/v1/',
    base: '/management/v1',
    services: [
      service(
        'zitadel.management.v1.ManagementService',
        async () => (await import('@zitadel/proto/zitadel/management_pb.js')).ManagementService,
      ),
    ],
  },
  {
    prefix: '/admin/v1/',
    base: '/admin/v1',
    services: [service('zitadel.admin.v1.AdminService', async () => (await import('@zitadel/proto/zitadel/admin_pb.js')).AdminService)],
  },
  {
    prefix: '/v2/',
    base: '',
    services: [
      service('zitadel.user.v2.UserService', async () => (await import('./user/service.ts')).UserService),
      service(
        'zitadel.session.v2.SessionService',
        async () => (await import('@zitadel/proto/zitadel/session/v2/session_service_pb.js')).SessionService,
      ),
      service(
        'zitadel.settings.v2.SettingsService',
        async () => (await import('@zitadel/proto/zitadel/settings/v2/settings_service_pb.js')).SettingsService,
      ),
      service(
        'zitadel.org.v2.OrganizationService',
        async () => (await import('@zitadel/proto/zitadel/org/v2/org_service_pb.js')).OrganizationService,
      ),
      service('zitadel.oidc.v2.OIDCService', async () => (await import('@zitadel/proto/zitadel/oidc/v2/oidc_service_pb.js')).OIDCService),
      service('zitadel.saml.v2.SAMLService', async () => (await import('@zitadel/proto/zitadel/saml/v2/saml_service_pb.js')).SAMLService),
      service(
        'zitadel.idp.v2.IdentityProviderService',
        async () => (await import('@zitadel/proto/zitadel/idp/v2/idp_service_pb.js')).IdentityProviderService,
      ),
      service(
        'zitadel.feature.v2.FeatureService',
        async () => (await import('@zitadel/proto/zitadel/feature/v2/feature_service_pb.js')).FeatureService,
      ),
      service(
        'zitadel.webkey.v2.WebKeyService',
        async () => (await import('@zitadel/proto/zitadel/webkey/v2/webkey_service_pb.js')).WebKeyService,
      ),
    ],
  },
  {
    prefix: '/v2beta/',
    base: '',
    services: [
      service(
        'zitadel.user.v2beta.UserService',
        async () => (await import('@zitadel/proto/zitadel/user/v2beta/user_service_pb.js')).UserService,
      ),
      service(
        'zitadel.session.v2beta.SessionService',
        async () => (await import('@zitadel/proto/zitadel/session/v2beta/session_service_pb.js')).SessionService,
      ),
      service(
        'zitadel.settings.v2beta.SettingsService',
        async () => (await import('@zitadel/proto/zitadel/settings/v2beta/settings_service_pb.js')).SettingsService,
      ),
      service(
        'zitadel.org.v2beta.OrganizationService',
        async () => (await import('@zitadel/proto/zitadel/org/v2beta/org_service_pb.js')).OrganizationService,
      ),
      service(
        'zitadel.oidc.v2beta.OIDCService',
        async () => (await import('@zitadel/proto/zitadel/oidc/v2beta/oidc_service_pb.js')).OIDCService,
      ),
      service(
        'zitadel.feature.v2beta.FeatureService',
        async () => (await import('@zitadel/proto/zitadel/feature/v2beta/feature_service_pb.js')).FeatureService,
      ),
      service(
        'zitadel.webkey.v2beta.WebKeyService',
        async () => (await import('@zitadel/proto/zitadel/webkey/v2beta/webkey_service_pb.js')).WebKeyService,
      ),
      service(
        'zitadel.action.v2beta.ActionService',
        async () => (await import('@zitadel/proto/zitadel/action/v2beta/action_service_pb.js')).ActionService,
      ),
      service(
        'zitadel.app.v2beta.AppService',
        async () => (await import('@zitadel/proto/zitadel/app/v2beta/app_service_pb.js')).AppService,
      ),
      service(
        'zitadel.authorization.v2beta.AuthorizationService',
        async () => (await import('@zitadel/proto/zitadel/authorization/v2beta/authorization_service_pb.js')).AuthorizationService,
      ),
      service(
        'zitadel.instance.v2beta.InstanceService',
        async () => (await import('@zitadel/proto/zitadel/instance/v2beta/instance_service_pb.js')).InstanceService,
      ),
      service(
        'zitadel.internal_permission.v2beta.InternalPermissionService',
        async () =>
          (await import('@zitadel/proto/zitadel/internal_permission/v2beta/internal_permission_service_pb.js')).InternalPermissionService,
      ),
      service(
        'zitadel.project.v2beta.ProjectService',
        async () => (await import('@zitadel/proto/zitadel/project/v2beta/project_service_pb.js')).ProjectService,
      ),
      service(
        'zitadel.analytics.v2beta.TelemetryService',
        async () => (await import('@zitadel/proto/zitadel/analytics/v2beta/telemetry_service_pb.js')).TelemetryService,
      ),
    ],
  },
  {
    prefix: '/system/v1/',
    base: '/system/v1',
    services: [service('zitadel.system.v1.SystemService', async () => (await import('@zitadel/proto/zitadel/system_pb.js')).SystemService)],
  },
  {
    prefix: '/resources/v3alpha/',
    base: '',
    services: [
      service(
        'zitadel.resources.user.v3alpha.ZITADELUsers',
        async () => (await import('@zitadel/proto/zitadel/resources/user/v3alpha/user_service_pb.js')).ZITADELUsers,
      ),
      service(
        'zitadel.resources.userschema.v3alpha.ZITADELUserSchemas',
        async () => (await import('@zitadel/proto/zitadel/resources/userschema/v3alpha/user_schema_service_pb.js')).ZITADELUserSchemas,
      ),
      service(
        'zitadel.resources.debug_events.v3alpha.ZITADELDebugEvents',
        async () => (await import('@zitadel/proto/zitadel/resources/debug_events/v3alpha/debug_events_service_pb.js')).ZITADELDebugEvents,
      ),
    ],
  },
]

/** All services, with addresses or without. */
export const publishedServices = published.flatMap(({ services }) => services)

/** A group of addresses, made into a table once. */
export interface RouteGroup {
  readonly prefix: string
  routes(): Routes | Promise<Routes>
}

/** The groups with their tables, which are made when they are first asked for. */
export function createRouteGroups(): readonly RouteGroup[] {
  return published.map(({ prefix, base, services }) => {
    let routes: Routes | undefined
    async function load(): Promise<Routes> {
      const found = await Promise.all(services.map((each) => each.load()))
      routes ??= createRoutes(base, found)
      return routes
    }
    return { prefix, routes: () => routes ?? load() }
  })
}
