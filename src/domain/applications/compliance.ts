/**
 * What of an application is not as ZITADEL's rules for OpenID Connect 1.0 want it. The application works all the same: the rules of the configuration file, which nothing gets around, are
 * others. Keys are ZITADEL's.
 */
import type { Application } from './application.ts'

type Judged = Pick<Application, 'type' | 'authMethod' | 'grantTypes' | 'responseTypes' | 'redirectUris' | 'devMode'>

const problems = {
  NotCompliant: 'The application does not comply with OpenID Connect 1.0',
  NoRedirectUris: 'There is no redirect URI, and people who sign in must be sent back somewhere',
  'GrantType.Refresh.NoAuthCode': 'Refresh tokens need the grant type authorization code or device code',
  'ResponseType.NoGrantType': 'A response type needs a grant type that is missing',
  'Code.RedirectUris.HttpOnlyForWeb': 'Redirect URIs with http are for web applications only',
  'Code.RedirectUris.CustomOnlyForNative': 'Redirect URIs with a scheme of their own are for native applications only',
  'Implicit.RedirectUris.HttpNotAllowed': 'Redirect URIs with http are not allowed with the grant type implicit',
  'Implicit.RedirectUris.CustomNotAllowed': 'Redirect URIs with a scheme of their own are not allowed with the grant type implicit',
  'Native.RedirectUris.MustBeHttpLocalhost':
    'Redirect URIs with http of a native application must be of this machine, such as http://localhost or http://127.0.0.1',
  'Native.AuthMethodType.NotNone': 'A native application cannot keep a secret: its authentication method must be none',
  'UserAgent.AuthMethodType.NotNone': 'An application in a browser cannot keep a secret: its authentication method must be none',
} as const

type Problem = keyof typeof problems

export interface ComplianceProblem {
  readonly key: string
  readonly message: string
}

/** The problems of an application, none when it complies. The first says that it does not. */
export function complianceProblemsOf(application: Judged): readonly ComplianceProblem[] {
  const found = [...grantProblems(application), ...addressProblems(application), ...methodProblems(application)]
  const all: readonly Problem[] = found.length === 0 ? [] : ['NotCompliant', ...found]
  return all.map((problem) => ({ key: `Application.OIDC.V1.${problem}`, message: problems[problem] }))
}

function grantProblems({ grantTypes, responseTypes }: Judged): Problem[] {
  const has = (grant: Judged['grantTypes'][number]) => grantTypes.includes(grant)
  const answers = responseTypes.flatMap((each) => each.split(' '))
  const signsIn = has('authorizationCode') || has('implicit')
  const lacksCode = answers.includes('code') && !has('authorizationCode')
  const lacksImplicit = answers.some((each) => each !== 'code') && !has('implicit')
  return [
    ...(has('refreshToken') && !has('authorizationCode') && !has('deviceCode') ? (['GrantType.Refresh.NoAuthCode'] as const) : []),
    ...(signsIn && (lacksCode || lacksImplicit) ? (['ResponseType.NoGrantType'] as const) : []),
  ]
}

function addressProblems({ type, grantTypes, redirectUris, devMode = false }: Judged): Problem[] {
  const [byCode, byImplicit] = [grantTypes.includes('authorizationCode'), grantTypes.includes('implicit')]
  if (redirectUris.length === 0) return byCode || byImplicit ? ['NoRedirectUris'] : []
  const isNative = type === 'native'
  const hasCustom = redirectUris.some((uri) => !/^https?:\/\//i.test(uri))
  const http = redirectUris.filter((uri) => /^http:\/\//i.test(uri))
  const found = new Set<Problem>()
  if (hasCustom && byCode && !isNative)
    found.add(byImplicit ? 'Implicit.RedirectUris.CustomNotAllowed' : 'Code.RedirectUris.CustomOnlyForNative')
  if (hasCustom && byImplicit && !byCode) found.add('Implicit.RedirectUris.CustomNotAllowed')
  if (http.length > 0 && !devMode) {
    if (isNative && http.some((uri) => !isLoopback(uri))) found.add('Native.RedirectUris.MustBeHttpLocalhost')
    if (byCode && type === 'userAgent') found.add('Code.RedirectUris.HttpOnlyForWeb')
    if (byImplicit && !byCode && !isNative) found.add('Implicit.RedirectUris.HttpNotAllowed')
  }
  return [...found]
}

const isLoopback = (uri: string) => URL.canParse(uri) && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(uri).hostname)

function methodProblems({ type, authMethod }: Judged): Problem[] {
  if (authMethod === 'none') return []
  return type === 'native' ? ['Native.AuthMethodType.NotNone'] : type === 'userAgent' ? ['UserAgent.AuthMethodType.NotNone'] : []
}
