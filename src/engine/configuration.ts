import type { Client, Configuration, ErrorOut } from 'oidc-provider'

import { newObjectId } from '#src/base/ids.ts'
import type { Settings } from '#src/domain/applications/application.ts'
import { accessTokenTtlOf } from '#src/domain/applications/builtIn.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { createFindAccount } from './account.ts'
import { acrValues, assertReachable } from './acr.ts'
import { routes } from './addresses.ts'
import { enabledJWA } from './algorithms.ts'
import { authorizationCodeTtlSeconds } from './artifacts.ts'
import { assertClaimRequests, type ClaimsParameter } from './claimsParameter.ts'
import { ownClientMetadata } from './clients.ts'
import { signInAddress } from './customLogin.ts'
import { deviceSources } from './devices.ts'
import { firstPartyGrant } from './grants.ts'
import { errors } from './internals.ts'
import { mayIntrospect } from './introspection.ts'
import { mutualTls } from './mutualTls.ts'
import { ownOrigins } from './origins.ts'
import { createOutboundFetch } from './outbound.ts'
import type { EnginePages } from './pages.ts'
import { policy } from './policy.ts'
import { judgeOwnMetadata } from './registration.ts'
import { resourceServers } from './resources.ts'
import { staticScopes } from './scopes.ts'
import type { StepState } from './steps.ts'
import { pairwiseSubject } from './subjects.ts'

export interface ConfigurationDeps {
  readonly adapter: Configuration['adapter']
  readonly findAccount: ReturnType<typeof createFindAccount>
  readonly catalogue: Catalogue
  readonly pages: EnginePages
  readonly cookieSigner: object
  readonly jwks: Configuration['jwks']
  /** The settings as of the last refresh: lifetimes must be answered at once. */
  readonly settings: () => Settings
  readonly secure: boolean
  /** Host names and ranges that outgoing calls may reach although they are private. */
  readonly outboundAllow: readonly string[]
  /** Whether a proxy in front is trusted: only then is there anybody who can tell the client's certificate. */
  readonly trustsProxy: boolean
}

/** Everything that the engine lets itself be told by options. */
export function engineConfiguration(deps: ConfigurationDeps): Configuration {
  const { catalogue, pages, settings, secure } = deps
  const prefix = secure ? '__Host-' : ''
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', secure } as const

  return {
    adapter: deps.adapter,
    jwks: deps.jwks,
    fetch: createOutboundFetch(deps.outboundAllow),
    findAccount: deps.findAccount,
    loadExistingGrant: (ctx) => firstPartyGrant(ctx, catalogue),
    routes,
    cookies: {
      keys: deps.cookieSigner as never,
      names: { session: `${prefix}dossier-session`, interaction: 'dossier-interaction', resume: 'dossier-resume' },
      long: { ...cookie, path: '/' },
      short: cookie,
    },
    scopes: Object.keys(staticScopes),
    claims: Object.fromEntries(Object.entries(staticScopes).map(([scope, claims]) => [scope, [...claims]])),
    // Which claims an ID token carries is decided in account.ts, per application.
    conformIdTokenClaims: false,
    responseTypes: ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'],
    allowOmittingSingleRegisteredRedirectUri: false,
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: async (_ctx, accountId, client) => {
      const { organization } = await catalogue.root()
      return pairwiseSubject(accountId, (client as unknown as { sectorIdentifier: string }).sectorIdentifier, organization)
    },
    acrValues,
    clientAuthMethods: [
      'none',
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      ...(deps.trustsProxy ? (['tls_client_auth', 'self_signed_tls_client_auth'] as const) : []),
    ],
    clientDefaults: { id_token_signed_response_alg: 'RS256', grant_types: ['authorization_code'], response_types: ['code'] },
    enabledJWA,
    clockTolerance: 15,
    extraClientMetadata: {
      properties: [...ownClientMetadata],
      validator: (ctx, name, value, metadata) => judgeOwnMetadata(ctx, name, value, metadata as Record<string, unknown>),
    },
    // The security profile demands PKCE, whatever the application says.
    pkce: { required: (_ctx, client) => client.require_pkce === true || client.fapi_profile === '2.0' },
    clientBasedCORS: (_ctx, origin, client) => ownOrigins(client as never).has(origin),
    rotateRefreshToken: (ctx) => !ctx.oidc.entities.RefreshToken?.isSenderConstrained(),
    issueRefreshToken: async (_ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    expiresWithSession: async (_ctx, token) => !token.scopes.has('offline_access'),
    interactions: {
      policy: policy(),
      url: async (_ctx, interaction) =>
        signInAddress((await catalogue.find(interaction.params.client_id as string))?.application, interaction),
    },
    ttl: {
      AccessToken: (_ctx, _token, client) => accessTokenTtlOf(client.clientId, settings()),
      ClientCredentials: () => settings().accessTokenTtlSeconds,
      IdToken: () => settings().idTokenTtlSeconds,
      RefreshToken: () => settings().refreshTokenTtlSeconds,
      Session: () => settings().sessionTtlSeconds,
      AuthorizationCode: authorizationCodeTtlSeconds,
      DeviceCode: 600,
      Interaction: 3600,
      // A grant must outlive what was issued under it; grants.ts prolongs it while refresh tokens rotate.
      Grant: (ctx) =>
        ctx?.oidc?.client?.grantTypeAllowed('refresh_token')
          ? 2 * settings().refreshTokenTtlSeconds
          : settings().sessionTtlSeconds + settings().accessTokenTtlSeconds,
    },
    renderError: async (ctx, out, error) => pages.error(ctx, errorFacts(out, error)),
    features: {
      devInteractions: { enabled: false },
      introspection: {
        enabled: true,
        // The engine falls over a token whose application is gone.
        allowedPolicy: async ({ oidc }, client, token) =>
          (await oidc.provider.Client.find(token.clientId as string)) !== undefined &&
          mayIntrospect(client.clientId, token as never, catalogue),
      },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => client.clientId === token.clientId },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', ...deviceSources(pages) },
      pushedAuthorizationRequests: { enabled: true },
      claimsParameter: {
        enabled: true,
        assertClaimsParameter: async (ctx, claims) => {
          assertClaimRequests(claims as ClaimsParameter)
          assertReachable(ctx, claims as never)
        },
      },
      registration: { enabled: true, idFactory: () => newObjectId() },
      registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
      requestObjects: { enabled: true },
      jwtResponseModes: { enabled: true },
      jwtUserinfo: { enabled: true },
      jwtIntrospection: { enabled: true },
      encryption: { enabled: true },
      fapi: { enabled: true, profile: (_ctx, client) => client?.fapi_profile as '2.0' | undefined },
      mTLS: deps.trustsProxy ? mutualTls : { enabled: false },
      resourceIndicators: { enabled: true, ...resourceServers(catalogue) },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx) => {
          const state = ctx.oidc.session?.state as { secret: string }
          await pages.signOut(ctx, {
            action: ctx.oidc.urlFor('end_session_confirm'),
            token: state.secret,
            application: named(ctx.oidc.client),
          })
        },
        postLogoutSuccessSource: async (ctx) => {
          const cancelled = (ctx.state as StepState).signOutCancelled ?? false
          const { client } = ctx.oidc
          await pages.signedOut(ctx, {
            cancelled,
            application: named(client),
            wayBack: cancelled ? wayBack(client, ctx.oidc.issuer) : undefined,
          })
        },
      },
    },
  }
}

const named = (client: Client | undefined) => client && { clientId: client.clientId, name: client.clientName }

/** Where an application may be entered: its home page, or where it begins a sign-in when it is told by whom (OpenID Connect Core, section 4). */
function wayBack(client: Client | undefined, issuer: string): string | undefined {
  if (client?.clientUri || !client?.initiateLoginUri) return client?.clientUri
  const address = new URL(client.initiateLoginUri as string)
  address.searchParams.set('iss', issuer)
  return address.href
}

/** What a person is told. An interaction that is over goes by one name, whether a page of ours finds out or the engine, when it goes on. */
const errorFacts = (out: ErrorOut, error: Error) =>
  error instanceof errors.SessionNotFound
    ? {
        code: 'session_not_found',
        description: 'This sign-in has expired, or was completed already. Go back to the application and start again.',
      }
    : { code: out.error, description: out.error_description }
