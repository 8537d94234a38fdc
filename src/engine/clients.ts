import type { ClientMetadata } from 'oidc-provider'
import { epochSeconds } from '#src/base/clock.ts'
import type { Application, GrantType } from '#src/domain/applications/application.ts'
import type { ProtocolChoices } from '#src/domain/applications/protocol.ts'
import type { User } from '#src/domain/users/user.ts'

export const grantTypes = {
  authorizationCode: 'authorization_code',
  refreshToken: 'refresh_token',
  deviceCode: 'urn:ietf:params:oauth:grant-type:device_code',
  clientCredentials: 'client_credentials',
  implicit: 'implicit',
  tokenExchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const satisfies Record<GrantType, string>

export const authMethods = {
  basic: 'client_secret_basic',
  post: 'client_secret_post',
  none: 'none',
  clientSecretJwt: 'client_secret_jwt',
  privateKeyJwt: 'private_key_jwt',
  tlsClientAuth: 'tls_client_auth',
  selfSignedTlsClientAuth: 'self_signed_tls_client_auth',
} as const satisfies Record<Application['authMethod'], string>

/** The grant type and the way to authenticate by the engine's name for it. */
export const grantTypeOf = (name: string) => keyOf(grantTypes, name)
export const authMethodOf = (name: unknown) => keyOf(authMethods, name) ?? 'basic'

const keyOf = <K extends string>(names: Readonly<Record<K, string>>, name: unknown): K | undefined =>
  (Object.keys(names) as K[]).find((key) => names[key] === name)

/** The choices that the engine knows, by its names for them. */
export const choiceNames = {
  requirePushedAuthorizationRequests: 'require_pushed_authorization_requests',
  dpopBoundAccessTokens: 'dpop_bound_access_tokens',
  tlsClientCertificateBoundAccessTokens: 'tls_client_certificate_bound_access_tokens',
  requireSignedRequestObject: 'require_signed_request_object',
  requestObjectSigningAlg: 'request_object_signing_alg',
  requestUris: 'request_uris',
  responseModes: 'response_modes',
  defaultMaxAge: 'default_max_age',
  requireAuthTime: 'require_auth_time',
  defaultAcrValues: 'default_acr_values',
  subjectType: 'subject_type',
  sectorIdentifierUri: 'sector_identifier_uri',
  idTokenEncryptedResponseAlg: 'id_token_encrypted_response_alg',
  idTokenEncryptedResponseEnc: 'id_token_encrypted_response_enc',
  userinfoSignedResponseAlg: 'userinfo_signed_response_alg',
  userinfoEncryptedResponseAlg: 'userinfo_encrypted_response_alg',
  userinfoEncryptedResponseEnc: 'userinfo_encrypted_response_enc',
  introspectionSignedResponseAlg: 'introspection_signed_response_alg',
  authorizationSignedResponseAlg: 'authorization_signed_response_alg',
  authorizationEncryptedResponseAlg: 'authorization_encrypted_response_alg',
  authorizationEncryptedResponseEnc: 'authorization_encrypted_response_enc',
  tokenEndpointAuthSigningAlg: 'token_endpoint_auth_signing_alg',
  tlsClientAuthSubjectDn: 'tls_client_auth_subject_dn',
  tlsClientAuthSanDns: 'tls_client_auth_san_dns',
  tlsClientAuthSanUri: 'tls_client_auth_san_uri',
  tlsClientAuthSanIp: 'tls_client_auth_san_ip',
  tlsClientAuthSanEmail: 'tls_client_auth_san_email',
  initiateLoginUri: 'initiate_login_uri',
  backChannelLogoutSessionRequired: 'backchannel_logout_session_required',
  clientUri: 'client_uri',
  contacts: 'contacts',
} as const satisfies Record<Exclude<keyof ProtocolChoices, 'profile'>, string>

const choicesOf = (application: Application): Record<string, unknown> =>
  Object.fromEntries(Object.entries(choiceNames).map(([field, name]) => [name, application[field as keyof typeof choiceNames]]))

/** Opens the sealed secret of an application. */
export type OpenSecret = (sealed: string, clientId: string) => string

/**
 * An application as the engine's client metadata. The secret is its hash, which `Client#compareClientSecret` is replaced to match; only for
 * `client_secret_jwt` it is the secret itself.
 */
export function clientOf(application: Application, openSecret: OpenSecret): ClientMetadata {
  const { clientSecretSealed: sealed } = application
  return defined({
    client_id: application.clientId,
    client_name: application.name,
    client_secret: sealed === undefined ? application.clientSecretHash : openSecret(sealed, application.clientId),
    application_type: application.type === 'native' ? 'native' : 'web',
    token_endpoint_auth_method: authMethods[application.authMethod],
    grant_types: allowedGrants(application).map((each) => grantTypes[each]),
    response_types: application.grantTypes.some((each) => each === 'authorizationCode' || each === 'implicit')
      ? [...application.responseTypes]
      : [],
    redirect_uris: [...application.redirectUris],
    post_logout_redirect_uris: [...application.postLogoutRedirectUris],
    id_token_signed_response_alg: application.idTokenSignedResponseAlg,
    backchannel_logout_uri: application.backChannelLogoutUri,
    logo_uri: application.logoUri,
    policy_uri: application.policyUri,
    tos_uri: application.tosUri,
    jwks: application.jwks as ClientMetadata['jwks'],
    jwks_uri: application.jwksUri,
    access_token_type: application.accessTokenType,
    require_pkce: mustUsePkce(application),
    first_party: application.firstParty,
    additional_origins: [...application.additionalOrigins],
    client_id_issued_at: epochSeconds(application.createdAt),
    ...choicesOf(application),
    backchannel_logout_session_required: application.backChannelLogoutUri
      ? (application.backChannelLogoutSessionRequired ?? true)
      : undefined,
    ...(application.profile === 'fapi2' && { fapi_profile: '2.0', require_pushed_authorization_requests: true }),
  })
}

/** What an application may ask for. Whoever proves nothing gets no token of its own (RFC 6749, section 4.4), whatever was written into the store. */
export const allowedGrants = ({ grantTypes, authMethod }: Application): readonly GrantType[] =>
  authMethod === 'none' ? grantTypes.filter((each) => each !== 'clientCredentials') : grantTypes

/** A public application has nothing else to prove that the code is its own. */
export const mustUsePkce = ({ requirePkce, authMethod }: Application) => requirePkce || authMethod === 'none'

/** A machine user as a client: its client id is the username, and client credentials are all it may use. */
export function clientOfMachine(user: User): ClientMetadata {
  return defined({
    client_id: user.username,
    client_name: user.profile.displayName ?? user.username,
    client_secret: user.secretHash,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    machine_user_id: user.id,
  })
}

const defined = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as ClientMetadata

/** Client metadata of ours beside the registered ones. */
export const ownClientMetadata = [
  'access_token_type',
  'require_pkce',
  'first_party',
  'additional_origins',
  'machine_user_id',
  'fapi_profile',
  'request_uris',
  'software_statement',
] as const
