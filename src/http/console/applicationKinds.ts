/** The kinds of applications that the wizard knows, each with what it begins with and what its makers copy in the end. */
import type { Application } from '#src/domain/applications/application.ts'
import type { ApplicationWish } from '#src/domain/applications/applications.ts'
import { curlLine, secretVariable } from '../kit/curl.ts'

const kinds = ['web', 'userAgent', 'native', 'machine', 'api'] as const
export type ApplicationKind = (typeof kinds)[number]
export const applicationKinds: readonly ApplicationKind[] = kinds

export const kindIn = (text: string): ApplicationKind | undefined => kinds.find((each) => each === text)

const usual = {
  postLogoutRedirectUris: [],
  responseTypes: ['code'],
  accessTokenType: 'bearer',
  idTokenUserinfoAssertion: false,
  accessTokenRoleAssertion: false,
  idTokenRoleAssertion: false,
  requirePkce: true,
  idTokenSignedResponseAlg: 'RS256',
  firstParty: true,
  audience: 'project',
  clockSkewSeconds: 0,
  additionalOrigins: [],
} as const satisfies Partial<ApplicationWish>

const beginnings: Readonly<Record<ApplicationKind, Pick<ApplicationWish, 'type' | 'authMethod' | 'grantTypes'>>> = {
  web: { type: 'web', authMethod: 'basic', grantTypes: ['authorizationCode', 'refreshToken'] },
  userAgent: { type: 'userAgent', authMethod: 'none', grantTypes: ['authorizationCode', 'refreshToken'] },
  native: { type: 'native', authMethod: 'none', grantTypes: ['authorizationCode', 'refreshToken', 'deviceCode'] },
  machine: { type: 'web', authMethod: 'basic', grantTypes: ['clientCredentials'] },
  api: { type: 'api', authMethod: 'basic', grantTypes: [] },
}

/** What the wizard asks: everything else can be changed later. */
export interface Answers {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly idTokenUserinfoAssertion: boolean
  readonly accessTokenType: 'bearer' | 'jwt'
}

export const wishOf = (kind: ApplicationKind, { name, ...answers }: Answers): ApplicationWish => ({
  ...usual,
  ...beginnings[kind],
  name,
  redirectUris: [],
  ...(signsIn(kind) ? answers : { accessTokenType: answers.accessTokenType }),
})

/** Whether people sign in to it. */
export const signsIn = (kind: ApplicationKind) => kind === 'web' || kind === 'userAgent' || kind === 'native'

/** The kind that an application is most like. */
export function kindOf({ type, grantTypes }: Pick<Application, 'type' | 'grantTypes'>): ApplicationKind {
  return type === 'web' && !grantTypes.includes('authorizationCode') && grantTypes.includes('clientCredentials') ? 'machine' : type
}

/** A line that shows that it works, for a shell. The secret is named, not shown. */
export function curlOf(issuer: string, application: Application): string {
  const { clientId, authMethod, redirectUris } = application
  const basic = authMethod === 'none' ? {} : { basic: [clientId, secretVariable] as const }
  const named: Readonly<Record<string, string>> = authMethod === 'none' ? { client_id: clientId } : {}
  switch (kindOf(application)) {
    case 'machine':
      return curlLine({
        method: 'POST',
        address: `${issuer}/oauth/v2/token`,
        ...basic,
        form: { grant_type: 'client_credentials', scope: 'openid' },
      })
    case 'api':
      return curlLine({ method: 'POST', address: `${issuer}/oauth/v2/introspect`, ...basic, form: { token: 'ACCESS_TOKEN' } })
    default: {
      const form = {
        ...named,
        grant_type: 'authorization_code',
        code: 'CODE',
        redirect_uri: redirectUris[0] ?? '',
        code_verifier: 'CODE_VERIFIER',
      }
      return curlLine({ method: 'POST', address: `${issuer}/oauth/v2/token`, ...basic, form })
    }
  }
}

/** Where a browser begins to sign in, with a challenge that belongs to nobody. */
export function authorizeAddress(issuer: string, { clientId, redirectUris }: Application): string {
  const parameters = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUris[0] ?? '',
    response_type: 'code',
    scope: 'openid profile email urn:zitadel:iam:user:metadata',
    state: 'STATE',
    nonce: 'NONCE',
    code_challenge: 'CODE_CHALLENGE',
    code_challenge_method: 'S256',
  })
  return `${issuer}/oauth/v2/authorize?${parameters}`
}
