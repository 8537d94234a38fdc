import type { DescService } from '@bufbuild/protobuf'
import { AuthService } from '@zitadel/proto/zitadel/auth_pb.js'
import { createRoutes, type Routes } from './routes.ts'

/** Services that share the beginning of their addresses. The annotations of the first API are relative to `base`, those of the second are not. */
interface Published {
  readonly prefix: string
  readonly base: string
  readonly services: readonly DescService[] | (() => Promise<readonly DescService[]>)
}

/**
 * All that ZITADEL publishes. The descriptors of everything take some 45 MB and a quarter of a second: a group without a handler is loaded when
 * somebody first asks for it, to be told that it is not served.
 */
export const published: readonly Published[] = [
  { prefix: '/auth/v1/', base: '/auth/v1', services: [AuthService] },
  {
    prefix: '/management/v1/',
    base: '/management/v1',
    services: async () => [(await import('@zitadel/proto/zitadel/management_pb.js')).ManagementService],
  },
  { prefix: '/admin/v1/', base: '/admin/v1', services: async () => [(await import('@zitadel/proto/zitadel/admin_pb.js')).AdminService] },
  {
    prefix: '/v2/',
    base: '',
    services: async () => [
      (await import('@zitadel/proto/zitadel/user/v2/user_service_pb.js')).UserService,
      (await import('@zitadel/proto/zitadel/session/v2/session_service_pb.js')).SessionService,
      (await import('@zitadel/proto/zitadel/settings/v2/settings_service_pb.js')).SettingsService,
      (await import('@zitadel/proto/zitadel/org/v2/org_service_pb.js')).OrganizationService,
      (await import('@zitadel/proto/zitadel/oidc/v2/oidc_service_pb.js')).OIDCService,
      (await import('@zitadel/proto/zitadel/saml/v2/saml_service_pb.js')).SAMLService,
      (await import('@zitadel/proto/zitadel/idp/v2/idp_service_pb.js')).IdentityProviderService,
      (await import('@zitadel/proto/zitadel/feature/v2/feature_service_pb.js')).FeatureService,
      (await import('@zitadel/proto/zitadel/webkey/v2/webkey_service_pb.js')).WebKeyService,
    ],
  },
  {
    prefix: '/v2beta/',
    base: '',
    services: async () => [
      (await import('@zitadel/proto/zitadel/user/v2beta/user_service_pb.js')).UserService,
      (await import('@zitadel/proto/zitadel/session/v2beta/session_service_pb.js')).SessionService,
      (await import('@zitadel/proto/zitadel/settings/v2beta/settings_service_pb.js')).SettingsService,
      (await import('@zitadel/proto/zitadel/org/v2beta/org_service_pb.js')).OrganizationService,
      (await import('@zitadel/proto/zitadel/oidc/v2beta/oidc_service_pb.js')).OIDCService,
      (await import('@zitadel/proto/zitadel/feature/v2beta/feature_service_pb.js')).FeatureService,
      (await import('@zitadel/proto/zitadel/webkey/v2beta/webkey_service_pb.js')).WebKeyService,
      (await import('@zitadel/proto/zitadel/action/v2beta/action_service_pb.js')).ActionService,
      (await import('@zitadel/proto/zitadel/app/v2beta/app_service_pb.js')).AppService,
      (await import('@zitadel/proto/zitadel/authorization/v2beta/authorization_service_pb.js')).AuthorizationService,
      (await import('@zitadel/proto/zitadel/instance/v2beta/instance_service_pb.js')).InstanceService,
      (await import('@zitadel/proto/zitadel/internal_permission/v2beta/internal_permission_service_pb.js')).InternalPermissionService,
      (await import('@zitadel/proto/zitadel/project/v2beta/project_service_pb.js')).ProjectService,
    ],
  },
]

/** A group of addresses, made into a table once. */
export interface RouteGroup {
  readonly prefix: string
  routes(): Routes | Promise<Routes>
}

/** The groups with their tables: those whose descriptors are at hand are ready at once, the others when they are asked for. */
export function createRouteGroups(): readonly RouteGroup[] {
  return published.map(({ prefix, base, services }) => {
    let routes = typeof services === 'function' ? undefined : createRoutes(base, services)
    async function load(find: () => Promise<readonly DescService[]>): Promise<Routes> {
      const found = await find()
      routes ??= createRoutes(base, found)
      return routes
    }
    return { prefix, routes: () => routes ?? load(services as () => Promise<readonly DescService[]>) }
  })
}
