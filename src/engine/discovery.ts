import type { Settings } from '#src/domain/applications/application.ts'
import { jwtBearer } from './jwtBearer.ts'

/** Makes discovery say what the engine does not know of: which keys there are by now, and what is added to it. */
export function completeDiscovery(document: Record<string, unknown>, algorithms: readonly string[], settings: Settings): void {
  if (settings.dynamicClientRegistration === 'closed') delete document.registration_endpoint
  for (const what of ['id_token', 'userinfo', 'introspection', 'authorization'])
    document[`${what}_signing_alg_values_supported`] = algorithms
  document.grant_types_supported = [...((document.grant_types_supported as string[] | undefined) ?? []), jwtBearer]
  document.prompt_values_supported = ['none', 'login', 'consent', 'select_account', 'create']
  const methods = document.token_endpoint_auth_methods_supported as readonly string[]
  document.introspection_endpoint_auth_methods_supported = methods.filter((each) => each !== 'none')
  document.revocation_endpoint_auth_methods_supported = methods
  document.request_uri_parameter_supported = true
  document.require_request_uri_registration = true
  for (const [name, value] of Object.entries(document)) if (Array.isArray(value) && value.length === 0) delete document[name]
}
