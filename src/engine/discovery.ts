import type { Settings } from '#src/domain/applications/application.ts'
import { jwtBearer } from './jwtBearer.ts'

/** What tokens carry beside the claims that a scope gives. Claims with an argument (`urn:zitadel:iam:org:project:{id}:roles`) cannot be listed. */
const tokenClaims = 'iss aud exp iat auth_time nonce acr amr azp client_id at_hash c_hash s_hash sid act'.split(' ')
const reservedClaims = ['urn:zitadel:iam:org:project:roles', 'urn:zitadel:iam:org:id']

/** Makes discovery say what the engine does not know of: which keys there are by now, and what is added to it. */
export function completeDiscovery(document: Record<string, unknown>, algorithms: readonly string[], settings: Settings): void {
  if (settings.dynamicClientRegistration === 'closed') delete document.registration_endpoint
  for (const what of ['id_token', 'userinfo', 'introspection', 'authorization'])
    document[`${what}_signing_alg_values_supported`] = algorithms
  document.claims_supported = [...new Set([...(document.claims_supported as readonly string[]), ...tokenClaims, ...reservedClaims])]
  document.grant_types_supported = [...((document.grant_types_supported as string[] | undefined) ?? []), jwtBearer]
  document.prompt_values_supported = ['none', 'login', 'consent', 'select_account', 'create']
  const methods = document.token_endpoint_auth_methods_supported as readonly string[]
  document.introspection_endpoint_auth_methods_supported = methods.filter((each) => each !== 'none')
  document.revocation_endpoint_auth_methods_supported = methods
  document.request_uri_parameter_supported = true
  document.require_request_uri_registration = true
  for (const [name, value] of Object.entries(document)) if (Array.isArray(value) && value.length === 0) delete document[name]
}
