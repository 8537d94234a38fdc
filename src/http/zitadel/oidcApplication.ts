/** Applications as ZITADEL's APIs have them (contracts/zitadel.md, section 8). What those cannot say is kept when an application is changed, and has a default when one is made. */
import type { Duration } from '@bufbuild/protobuf/wkt'
import type { Application } from '#src/domain/applications/application.ts'
import type { ApplicationWish } from '#src/domain/applications/applications.ts'
import { complianceProblemsOf } from '#src/domain/applications/compliance.ts'
import { StatusError } from './errors.ts'

type ResponseType = Application['responseTypes'][number]
type GrantType = Application['grantTypes'][number]
type AuthMethod = Application['authMethod']

// In the order of ZITADEL's numbers.
const appTypes: readonly Application['type'][] = ['web', 'userAgent', 'native']
const authMethods: readonly AuthMethod[] = ['basic', 'post', 'none', 'privateKeyJwt']
const apiAuthMethods: readonly AuthMethod[] = ['basic', 'privateKeyJwt']
const grantTypes: readonly GrantType[] = ['authorizationCode', 'implicit', 'refreshToken', 'deviceCode', 'tokenExchange']
const responseTypes: readonly ResponseType[] = ['code', 'id_token', 'id_token token']
const tokenTypes: readonly Application['accessTokenType'][] = ['bearer', 'jwt']

/** Ways to prove who it is that ZITADEL does not know, by what comes nearest. */
const nearest: Partial<Readonly<Record<AuthMethod, AuthMethod>>> = {
  clientSecretJwt: 'post',
  tlsClientAuth: 'privateKeyJwt',
  selfSignedTlsClientAuth: 'privateKeyJwt',
}

/** The fields of an OIDC application in a request, of whichever version. What is left out stays as it is. */
export interface GivenOidc {
  readonly redirectUris?: readonly string[]
  readonly responseTypes?: readonly number[]
  readonly grantTypes?: readonly number[]
  readonly appType?: number
  readonly authMethodType?: number
  readonly postLogoutRedirectUris?: readonly string[]
  readonly devMode?: boolean
  readonly accessTokenType?: number
  readonly accessTokenRoleAssertion?: boolean
  readonly idTokenRoleAssertion?: boolean
  readonly idTokenUserinfoAssertion?: boolean
  readonly clockSkew?: Duration
  readonly additionalOrigins?: readonly string[]
  readonly backChannelLogoutUri?: string
  readonly loginVersion?: { readonly version: { readonly case?: string; readonly value?: { readonly baseUri?: string } | object } }
}

/** The number of the first response type: the second version has one for none. */
export type FirstResponseType = 0 | 1

/** What the APIs cannot say of an application that is made. ZITADEL has no page on which people consent. */
const unsaid = { requirePkce: true, idTokenSignedResponseAlg: 'RS256', firstParty: true, audience: 'project' } as const

/** The wish for a new OIDC application. */
export function newOidcWish(name: string, given: GivenOidc, first: FirstResponseType): ApplicationWish {
  return { ...emptyWish, ...unsaid, name, ...oidcWish({ ...absentOidc, ...given }, first) }
}

/** The wish for a new API. */
export const newApiWish = (name: string, authMethodType: number): ApplicationWish => ({
  ...emptyWish,
  ...unsaid,
  name,
  type: 'api',
  grantTypes: [],
  ...apiWish(authMethodType),
})

const emptyWish = {
  type: 'web',
  authMethod: 'basic',
  redirectUris: [],
  postLogoutRedirectUris: [],
  grantTypes: ['authorizationCode'],
  responseTypes: ['code'],
  accessTokenType: 'bearer',
  idTokenUserinfoAssertion: false,
  accessTokenRoleAssertion: false,
  idTokenRoleAssertion: false,
  clockSkewSeconds: 0,
  additionalOrigins: [],
} as const satisfies Partial<ApplicationWish>

/** What the first version means by a request that says nothing. */
export const absentOidc = { clockSkew: undefined, loginVersion: undefined } satisfies GivenOidc

/** What a request wants of an application, which may be there. @throws StatusError */
export function oidcWish(given: GivenOidc, first: FirstResponseType, current?: Application): Partial<ApplicationWish> {
  const wish: { -readonly [K in keyof ApplicationWish]?: ApplicationWish[K] } = {}
  if (given.appType !== undefined) wish.type = appTypes[given.appType]
  if (given.authMethodType !== undefined) Object.assign(wish, methodWish(authMethods[given.authMethodType] as AuthMethod, current))
  if (given.grantTypes) wish.grantTypes = grantsOf(given.grantTypes, current)
  if (given.responseTypes) wish.responseTypes = responsesOf(given.responseTypes, first, wish.grantTypes, current)
  if (given.redirectUris) wish.redirectUris = given.redirectUris
  if (given.postLogoutRedirectUris) wish.postLogoutRedirectUris = given.postLogoutRedirectUris
  if (given.additionalOrigins) wish.additionalOrigins = given.additionalOrigins
  if (given.devMode !== undefined) wish.devMode = given.devMode
  if (given.accessTokenType !== undefined) wish.accessTokenType = tokenTypes[given.accessTokenType]
  if (given.accessTokenRoleAssertion !== undefined) wish.accessTokenRoleAssertion = given.accessTokenRoleAssertion
  if (given.idTokenRoleAssertion !== undefined) wish.idTokenRoleAssertion = given.idTokenRoleAssertion
  if (given.idTokenUserinfoAssertion !== undefined) wish.idTokenUserinfoAssertion = given.idTokenUserinfoAssertion
  if (given.backChannelLogoutUri !== undefined) wish.backChannelLogoutUri = given.backChannelLogoutUri || undefined
  if ('clockSkew' in given) wish.clockSkewSeconds = secondsOf(given.clockSkew)
  if ('loginVersion' in given) wish.loginVersion = loginVersionOf(given.loginVersion)
  return wish
}

/** What a request wants of an API, which may be there. */
export const apiWish = (authMethodType: number, current?: Application): Partial<ApplicationWish> =>
  methodWish(apiAuthMethods[authMethodType] as AuthMethod, current)

/** A way that ZITADEL does not know stays where the nearest that it knows is asked for. Keys come later. */
function methodWish(authMethod: AuthMethod, current: Application | undefined): Partial<ApplicationWish> {
  if (current && spokenMethod(current) === authMethod) return {}
  const hasKeys = current?.jwks !== undefined || current?.jwksUri !== undefined
  return { authMethod, ...(authMethod === 'privateKeyJwt' && !hasKeys && { jwks: { keys: [] } }) }
}

function grantsOf(given: readonly number[], current: Application | undefined): readonly GrantType[] {
  const kept = (current?.grantTypes ?? []).filter((each) => !grantTypes.includes(each))
  return [...new Set(given.length === 0 ? (['authorizationCode'] as const) : given.map((each) => grantTypes[each] as GrantType)), ...kept]
}

function responsesOf(
  given: readonly number[],
  first: FirstResponseType,
  grants: readonly GrantType[] | undefined,
  current: Application | undefined,
): readonly ResponseType[] {
  const isHybrid = (['authorizationCode', 'implicit'] as const).every((each) => (grants ?? current?.grantTypes)?.includes(each))
  const kept = (current?.responseTypes ?? []).filter((each) => isHybrid && !responseTypes.includes(each))
  // Of the second version nought says nothing.
  const named = given.map((each) => responseTypes[each - first]).filter((each) => each !== undefined)
  return [...new Set(named.length === 0 ? (['code'] as const) : named), ...kept]
}

function secondsOf(clockSkew: Duration | undefined): number {
  if (clockSkew?.nanos) throw new StatusError('invalidArgument', 'clockSkew: must be of whole seconds')
  return Number(clockSkew?.seconds ?? 0n)
}

function loginVersionOf(given: GivenOidc['loginVersion']): ApplicationWish['loginVersion'] {
  if (given?.version.case !== 'loginV2') return undefined
  const { baseUri } = (given.version.value ?? {}) as { baseUri?: string }
  return baseUri ? { baseUri } : {}
}

const spokenMethod = ({ authMethod }: Application): AuthMethod => nearest[authMethod] ?? authMethod

/** An OIDC application as both versions tell it. */
export const oidcConfigOf = (application: Application, first: FirstResponseType) => ({
  redirectUris: [...application.redirectUris],
  responseTypes: application.responseTypes
    .map((each) => responseTypes.indexOf(each))
    .filter(isThere)
    .map((number) => number + first),
  grantTypes: application.grantTypes.map((each) => grantTypes.indexOf(each)).filter(isThere),
  appType: appTypes.indexOf(application.type),
  clientId: application.clientId,
  authMethodType: authMethods.indexOf(spokenMethod(application)),
  postLogoutRedirectUris: [...application.postLogoutRedirectUris],
  ...complianceOf(application),
  devMode: application.devMode ?? false,
  accessTokenType: tokenTypes.indexOf(application.accessTokenType),
  accessTokenRoleAssertion: application.accessTokenRoleAssertion,
  idTokenRoleAssertion: application.idTokenRoleAssertion,
  idTokenUserinfoAssertion: application.idTokenUserinfoAssertion,
  clockSkew: { seconds: BigInt(application.clockSkewSeconds) },
  additionalOrigins: [...application.additionalOrigins],
  allowedOrigins: allowedOrigins(application),
  backChannelLogoutUri: application.backChannelLogoutUri ?? '',
  ...(application.loginVersion && {
    loginVersion: { version: { case: 'loginV2' as const, value: { baseUri: application.loginVersion.baseUri } } },
  }),
})

/** An API as both versions tell it. */
export const apiConfigOf = (application: Application) => ({
  clientId: application.clientId,
  authMethodType: Math.max(0, apiAuthMethods.indexOf(spokenMethod(application))),
})

/** Whether an application complies, and what of it does not. */
export function complianceOf(application: Application) {
  const problems = complianceProblemsOf(application)
  return {
    noneCompliant: problems.length > 0,
    complianceProblems: problems.map(({ key, message }) => ({ key, localizedMessage: message })),
  }
}

const isThere = (index: number) => index >= 0

/** Origins of browsers that may call us for it. */
function allowedOrigins({ redirectUris, additionalOrigins }: Application): string[] {
  const origins = redirectUris.map((uri) => new URL(uri)).filter(({ protocol }) => /^https?:$/.test(protocol))
  return [...new Set([...origins.map(({ origin }) => origin), ...additionalOrigins])]
}

/** @throws StatusError 400 when the application is not of the kind that it is changed as */
export function assertKind({ type }: Application, kind: 'oidc' | 'api'): void {
  if ((type === 'api') === (kind === 'api')) return
  throw kind === 'api'
    ? new StatusError('invalidArgument', 'Application is not type API', { id: 'COMMAND-Gnwt3' })
    : new StatusError('invalidArgument', 'Application is not type OpenID Connect', { id: 'COMMAND-GBr34' })
}
