/** Applications of strangers (RFC 7591): from the client metadata that the engine has validated to what the catalogue keeps. */
import type { AdapterPayload } from 'oidc-provider'
import type { Application } from '#src/domain/applications/application.ts'
import type { ProtocolChoices } from '#src/domain/applications/protocol.ts'
import type { Path } from '#src/domain/provisioning/faults.ts'
import { faultsOfApplication } from '#src/domain/provisioning/filed.ts'
import { authMethodOf, authMethods, choiceNames, grantTypeOf, grantTypes } from './clients.ts'
import { errors } from './internals.ts'

/** What strangers may ask for: nothing that works without a person who agrees to it. */
const grantsOfStrangers = new Set<Application['grantTypes'][number]>(['authorizationCode', 'refreshToken', 'implicit', 'deviceCode'])

/** What every application has that nobody may choose about their own. */
const fixed = {
  accessTokenType: 'bearer',
  idTokenUserinfoAssertion: false,
  accessTokenRoleAssertion: false,
  idTokenRoleAssertion: false,
  firstParty: false,
  // It is alone in its tokens: none learns of another.
  audience: 'client',
  clockSkewSeconds: 0,
  additionalOrigins: [],
  active: true,
} as const

type Registered = Omit<Application, 'id' | 'projectId' | 'clientId' | 'clientSecretHash' | 'clientSecretSealed' | 'createdAt' | 'changedAt'>

/** @throws InvalidClientMetadata, where our rules are stricter than the engine's */
export function registeredFrom(metadata: AdapterPayload): Registered {
  const method = authMethodOf(metadata.token_endpoint_auth_method)
  const isNative = metadata.application_type === 'native'
  const type = isNative ? 'native' : method === 'none' ? 'userAgent' : 'web'
  const grantTypes = ((metadata.grant_types ?? []) as string[]).map((each) => {
    const grant = grantTypeOf(each)
    if (!grant || !grantsOfStrangers.has(grant))
      throw new errors.InvalidClientMetadata(`grant_types: ${each} is not given to registered clients`)
    return grant
  })
  const redirectUris = (metadata.redirect_uris ?? []) as string[]
  const postLogoutRedirectUris = (metadata.post_logout_redirect_uris ?? []) as string[]
  const choices = Object.fromEntries(
    Object.entries(choiceNames)
      .map(([field, name]) => [field, metadata[name]] as const)
      .filter(([, value]) => value !== undefined && value !== false && value !== 'public'),
  ) as ProtocolChoices
  return {
    ...fixed,
    ...choices,
    requirePkce: method === 'none',
    // The engine's default, which would make every client a special one.
    authorizationSignedResponseAlg: choices.authorizationSignedResponseAlg === 'RS256' ? undefined : choices.authorizationSignedResponseAlg,
    introspectionSignedResponseAlg: choices.introspectionSignedResponseAlg === 'RS256' ? undefined : choices.introspectionSignedResponseAlg,
    name: textOf(metadata.client_name) ?? textOf(metadata.client_id) ?? '',
    type,
    authMethod: method,
    redirectUris,
    postLogoutRedirectUris,
    grantTypes,
    responseTypes: (metadata.response_types ?? []) as Application['responseTypes'],
    idTokenSignedResponseAlg: (metadata.id_token_signed_response_alg ?? 'RS256') as Application['idTokenSignedResponseAlg'],
    backChannelLogoutUri: textOf(metadata.backchannel_logout_uri),
    logoUri: textOf(metadata.logo_uri),
    policyUri: textOf(metadata.policy_uri),
    tosUri: textOf(metadata.tos_uri),
    jwks: metadata.jwks as Application['jwks'],
    jwksUri: textOf(metadata.jwks_uri),
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

/** Holds an application to the rules of the configuration file. @throws InvalidClientMetadata */
export function assertRegistrable(application: Application): void {
  const faults = faultsOfApplication(application).map(({ path, reason }) => faultOf(path, reason))
  // The error's code goes by the first of them.
  const description = faults.toSorted((a, b) => Number(b.startsWith('redirect_uris')) - Number(a.startsWith('redirect_uris'))).join('; ')
  if (description !== '') throw new errors.InvalidClientMetadata(description)
}

const names = {
  ...choiceNames,
  name: 'client_name',
  type: 'application_type',
  authMethod: 'token_endpoint_auth_method',
  redirectUris: 'redirect_uris',
  postLogoutRedirectUris: 'post_logout_redirect_uris',
  grantTypes: 'grant_types',
  responseTypes: 'response_types',
  idTokenSignedResponseAlg: 'id_token_signed_response_alg',
  backChannelLogoutUri: 'backchannel_logout_uri',
  logoUri: 'logo_uri',
  policyUri: 'policy_uri',
  tosUri: 'tos_uri',
  jwksUri: 'jwks_uri',
} as const satisfies Partial<Record<keyof Application, string>>

const words = new Map<string, string>(Object.entries({ ...names, ...grantTypes, ...authMethods }))

/** A fault of a field in the names of the metadata. Words in camel case are ours. */
function faultOf(path: Path, reason: string): string {
  const where = path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? (words.get(step) ?? step) : `.${step}`))
  return `${where.join('')} ${reason.replace(/\b[a-z]+[A-Z]\w*/g, (word) => words.get(word) ?? word)}`
}
