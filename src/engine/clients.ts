import type { ClientMetadata } from 'oidc-provider'
import type { Application, GrantType } from '#src/domain/applications/application.ts'
import type { User } from '#src/domain/users/user.ts'

const grantTypes = {
  authorizationCode: 'authorization_code',
  refreshToken: 'refresh_token',
  deviceCode: 'urn:ietf:params:oauth:grant-type:device_code',
  clientCredentials: 'client_credentials',
  implicit: 'implicit',
} as const satisfies Record<GrantType, string>

const authMethods = {
  basic: 'client_secret_basic',
  post: 'client_secret_post',
  none: 'none',
  privateKeyJwt: 'private_key_jwt',
} as const satisfies Record<Application['authMethod'], string>

/** An application as the engine's client metadata. The secret is its hash: `Client#compareClientSecret` is replaced to match. */
export function clientOf(application: Application): ClientMetadata {
  return defined({
    client_id: application.clientId,
    client_name: application.name,
    client_secret: application.clientSecretHash,
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
    backchannel_logout_session_required: application.backChannelLogoutUri ? true : undefined,
    logo_uri: application.logoUri,
    policy_uri: application.policyUri,
    tos_uri: application.tosUri,
    jwks: application.jwks as ClientMetadata['jwks'],
    jwks_uri: application.jwksUri,
    access_token_type: application.accessTokenType,
    require_pkce: mustUsePkce(application),
    additional_origins: [...application.additionalOrigins],
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
export const ownClientMetadata = ['access_token_type', 'require_pkce', 'additional_origins', 'machine_user_id'] as const
