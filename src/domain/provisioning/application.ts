import { z } from 'zod'
import type { Application } from '../applications/application.ts'
import { needsSecret } from './clientSecret.ts'
import type { Faults, Path } from './faults.ts'
import {
  clientId,
  duration,
  type Fields,
  flag,
  isLoopback,
  name as nameField,
  origin,
  parsed,
  readFields,
  recordId,
  text,
  webAddress,
} from './fields.ts'
import { assertCoherentChoices, protocolChoicesOf, protocolShape } from './protocol.ts'
import type { ReadSecret } from './secrets.ts'

/** What an application is told to be, apart from its name, its ids and its secret. */
type ApplicationFields = Omit<
  Application,
  | 'id'
  | 'projectId'
  | 'name'
  | 'clientId'
  | 'clientSecretHash'
  | 'clientSecretSealed'
  | 'active'
  | 'provisionedBy'
  | 'createdAt'
  | 'changedAt'
>

export interface WantedApplication {
  readonly path: Path
  readonly name: string
  readonly id?: string
  readonly clientId?: string
  readonly clientSecret?: string
  /** Left out, a new application is active and an existing one stays as it is. */
  readonly active?: boolean
  readonly fields: ApplicationFields
}

const jwks = z.strictObject({
  keys: z
    .array(z.record(z.string(), z.unknown()))
    .refine((keys) => keys.every((key) => typeof key.kty === 'string'), 'each key must have a kty')
    .refine((keys) => keys.every((key) => !('d' in key) && !('k' in key)), 'must be public keys only: take away d and k'),
})

/** The fields of an application in a configuration file. */
export const applicationShape = {
  id: recordId,
  name: nameField,
  clientId,
  clientSecret: text,
  active: flag,
  type: z.enum(['web', 'userAgent', 'native', 'api']),
  authMethod: z.enum(['basic', 'post', 'none', 'clientSecretJwt', 'privateKeyJwt', 'tlsClientAuth', 'selfSignedTlsClientAuth']),
  redirectUris: z.array(z.string()),
  postLogoutRedirectUris: z.array(z.string()),
  grantTypes: z.array(z.enum(['authorizationCode', 'refreshToken', 'deviceCode', 'clientCredentials', 'implicit', 'tokenExchange'])),
  responseTypes: z.array(z.enum(['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'])),
  accessTokenType: z.enum(['bearer', 'jwt']),
  idTokenUserinfoAssertion: flag,
  accessTokenRoleAssertion: flag,
  idTokenRoleAssertion: flag,
  requirePkce: flag,
  idTokenSignedResponseAlg: z.enum(['RS256', 'ES256', 'EdDSA', 'PS256']),
  firstParty: flag,
  audience: z.enum(['project', 'client']),
  clockSkew: duration(0, 5, 'at most 5s'),
  additionalOrigins: z.array(origin),
  backChannelLogoutUri: webAddress,
  logoUri: webAddress,
  policyUri: webAddress,
  tosUri: webAddress,
  jwks,
  jwksUri: webAddress,
  resourceIndicators: z.array(webAddress),
  forwardAuth: z.strictObject({ metadata: z.array(text) }),
  devMode: flag,
  loginVersion: z.strictObject({ baseUri: webAddress.optional() }),
  ...protocolShape,
} as const

/** One entry of `applications`; `undefined` when it has no name to go by. */
export function readApplication(
  given: unknown,
  path: Path,
  faults: Pick<Faults, 'add'>,
  readSecret: ReadSecret,
): WantedApplication | undefined {
  const values = readFields(applicationShape, given, path, faults, { required: ['name'] })
  if (given === null || typeof given !== 'object' || Array.isArray(given)) return undefined
  const clientSecret = readSecret(values.clientSecret, [...path, 'clientSecret'])
  const fields = fieldsOf(values)
  const named = (field: string) => Object.hasOwn(given, field)
  assertCoherent(fields, named, (field, reason) => faults.add([...path, field], reason))
  ;[fields.redirectUris, fields.postLogoutRedirectUris].forEach((uris, list) => {
    uris.forEach((uri, index) => {
      const reason = redirectFault(uri, fields)
      if (reason) faults.add([...path, list === 0 ? 'redirectUris' : 'postLogoutRedirectUris', index], reason)
    })
  })
  const { id, name, active } = values
  return name === undefined ? undefined : { path, name, id, clientId: values.clientId, clientSecret, active, fields }
}

/** Every field, with its default where it is left out; what has no default is there as `undefined`. */
function fieldsOf(values: Fields<typeof applicationShape>): ApplicationFields {
  const type = values.type ?? 'web'
  const authMethod = values.authMethod ?? (type === 'web' || type === 'api' ? 'basic' : 'none')
  return {
    type,
    authMethod,
    redirectUris: values.redirectUris ?? [],
    postLogoutRedirectUris: values.postLogoutRedirectUris ?? [],
    grantTypes: values.grantTypes ?? (type === 'api' ? [] : ['authorizationCode']),
    responseTypes: values.responseTypes ?? ['code'],
    accessTokenType: values.accessTokenType ?? 'bearer',
    idTokenUserinfoAssertion: values.idTokenUserinfoAssertion ?? false,
    accessTokenRoleAssertion: values.accessTokenRoleAssertion ?? false,
    idTokenRoleAssertion: values.idTokenRoleAssertion ?? false,
    requirePkce: values.requirePkce ?? true,
    idTokenSignedResponseAlg: values.idTokenSignedResponseAlg ?? 'RS256',
    firstParty: values.firstParty ?? false,
    audience: values.audience ?? 'project',
    clockSkewSeconds: values.clockSkew ?? 0,
    additionalOrigins: values.additionalOrigins ?? [],
    backChannelLogoutUri: values.backChannelLogoutUri,
    logoUri: values.logoUri,
    policyUri: values.policyUri,
    tosUri: values.tosUri,
    jwks: values.jwks,
    jwksUri: values.jwksUri,
    resourceIndicators: values.resourceIndicators,
    forwardAuth: values.forwardAuth,
    devMode: values.devMode || undefined,
    loginVersion: values.loginVersion,
    ...protocolChoicesOf(values),
  }
}

/** Fields that contradict each other. */
function assertCoherent(fields: ApplicationFields, named: (field: string) => boolean, add: (field: string, reason: string) => void): void {
  const { type, authMethod, grantTypes, responseTypes } = fields
  const hasSecret = needsSecret(authMethod)
  const isPublic = authMethod === 'none'
  const signsIn = grantTypes.includes('authorizationCode') || grantTypes.includes('implicit')
  const answersTokens = responseTypes.some((each) => each !== 'code')
  const answersCode = responseTypes.some((each) => each.split(' ').includes('code'))

  if (named('clientSecret') && !hasSecret) add('clientSecret', `has no use with authMethod ${authMethod}`)
  if (type === 'api' && isPublic) add('authMethod', 'must not be none: an api application has to prove who it is')
  if (isPublic && !fields.requirePkce) add('requirePkce', 'must be true when authMethod is none')
  if (isPublic && grantTypes.includes('clientCredentials')) add('grantTypes', 'clientCredentials needs an authMethod other than none')
  const hasKeys = named('jwks') || named('jwksUri')
  if ((authMethod === 'privateKeyJwt' || authMethod === 'selfSignedTlsClientAuth') && !hasKeys) {
    add('authMethod', `${authMethod} needs jwks or jwksUri`)
  }
  if (named('jwks') && named('jwksUri')) add('jwksUri', 'must be left out where jwks is given')
  if (signsIn && !named('redirectUris')) add('redirectUris', 'is missing: people who sign in must be sent back somewhere')
  else if (signsIn && fields.redirectUris.length === 0) add('redirectUris', 'must not be empty')
  if (answersTokens && !grantTypes.includes('implicit')) add('responseTypes', 'id_token and token need the grant type implicit')
  if (grantTypes.includes('implicit') && !answersTokens) add('grantTypes', 'implicit needs a response type with id_token or token')
  if (signsIn && answersCode && !grantTypes.includes('authorizationCode')) {
    add('responseTypes', 'code needs the grant type authorizationCode')
  }
  if (named('resourceIndicators') && type !== 'api') add('resourceIndicators', 'has a use for type api only')
  assertCoherentChoices({ ...fields, hasKeys }, add)
}

/** Schemes that a browser runs or shows by itself: nothing an application could receive. */
const forbiddenSchemes = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:', 'view-source:'])

/** What is wrong with an address that people are sent back to (RFC 9700, section 2.1; RFC 8252, section 7). */
function redirectFault(
  uri: string,
  { type, grantTypes, devMode }: Pick<ApplicationFields, 'type' | 'grantTypes' | 'devMode'>,
): string | undefined {
  const url = parsed(uri)
  if (!url) return 'must be an absolute address such as https://app.example/callback'
  if (uri.includes('#')) return 'must not have a fragment'
  if (uri.includes('*')) return 'must be exact: a * has no meaning in it'
  if (url.username || url.password) return 'must not have credentials in it'
  if (!/^https?:$/.test(url.protocol)) {
    if (type !== 'native') return 'must be an https address, or an http one of this machine'
    return forbiddenSchemes.has(url.protocol) ? `must not use the scheme ${url.protocol.slice(0, -1)}` : undefined
  }
  const isForDevelopment = devMode === true && type !== 'native'
  if (url.protocol === 'http:' && !isLoopback(url) && !isForDevelopment)
    return 'must be https unless its host is localhost, 127.0.0.1 or [::1]'
  const forTokens = type !== 'native' && grantTypes.includes('implicit')
  return forTokens && (url.protocol === 'http:' || url.hostname === 'localhost')
    ? 'must be https and not localhost with implicit'
    : undefined
}
