/**
 * Google, Facebook, Apple and any OpenID Connect provider (contracts/app-services.md, sections 3.6 to 3.8 and 4): a token or a code that an application brings, and the
 * redirect flow, in which the person goes to the provider and comes back with tokens in the fragment.
 */
import { createHash } from 'node:crypto'
import { personNameIn } from '#src/base/forms.ts'
import { newSecret } from '#src/base/ids.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { BegunLogin, IdentityProvider, ProviderSettings, Told } from '../../federation/provider.ts'
import type { mapMetadata } from '../../federation/providerMetadata.ts'
import type { ArtifactStore } from '../../sessions/store.ts'
import type { AppView } from '../app.ts'
import { AppRefused, authError, badRequest, missingParameter } from '../failures.ts'
import { assertEnabled, type LoggedIn, type LoginOptions, type Logins, type Vouched, type VouchFor } from '../logins.ts'

export interface OAuthDeps {
  /** The address to which providers send people back. */
  readonly callback: string
  /** Where an interaction goes on with what a login came to. */
  readonly interactionAddress: (interaction: string, ticket: string) => string
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'consume'>
  /** By type. */
  readonly connectorOf: (type: string) => IdentityProvider
  readonly secretOf: (view: AppView, name: string) => string | undefined
  readonly findApp: (id: string) => Promise<AppView | undefined>
  readonly mapMetadata: typeof mapMetadata
  readonly admit: Logins['admit']
  readonly now: () => Date
}

/** What an application wants of the redirect flow. */
export interface RedirectRequest {
  readonly redirect: unknown
  readonly state: unknown
  readonly device?: LoginOptions['device']
  readonly linkTo?: LoginOptions['linkTo']
}

/** Where a login goes when it is done: back to an application, or to an interaction of Dossier's own pages. */
type Target =
  | {
      readonly redirect: string
      readonly clientState: string
      readonly device?: LoginOptions['device']
      readonly linkTo?: LoginOptions['linkTo']
    }
  | { readonly interaction: string }

interface Flow extends BegunLogin {
  readonly app: string
  readonly type: string
  readonly target: Target
  /** Of what the browser holds that began it. */
  readonly browserHash: string
}

/** Where the person goes, and what their browser must hold when they come back. */
export interface Begun {
  readonly address: string
  readonly id: string
  readonly browserSecret: string
}

/** What a login on Dossier's own pages came to: whom a provider vouches for, or why it does not. */
export type Ticket = { readonly app: string; readonly type: string; readonly interaction: string } & (
  | { readonly vouched: Vouched }
  | { readonly problem: string }
)

export type OAuth = ReturnType<typeof createOAuth>

const model = 'AppOAuthFlow'
const ticketModel = 'AppOAuthTicket'
const flowMs = 10 * 60_000

/** What a provider calls a thing, and what App Services calls it. */
const renamed = { first_name: 'given_name', last_name: 'family_name' } as const

export function createOAuth(deps: OAuthDeps) {
  const { callback, interactionAddress, artifacts, connectorOf, secretOf, findApp, mapMetadata, admit, now } = deps

  function settingsOf(view: AppView, type: string): ProviderSettings {
    const { config, secret_config: secrets } = view.configuration.providers.get(type) ?? {}
    if (!config?.clientId) throw authError(`the provider ${type} has no clientId`)
    const clientSecret = secrets?.clientSecret ? secretOf(view, secrets.clientSecret) : undefined
    if (secrets?.clientSecret && clientSecret === undefined)
      throw authError(`the secret ${secrets.clientSecret} of the provider ${type} has no value`)
    return {
      clientId: config.clientId,
      ...(clientSecret !== undefined && { clientSecret }),
      ...(config.issuer && { issuer: config.issuer }),
    }
  }

  /** What the app makes of what a provider tells. @throws AppRefused */
  function vouched(view: AppView, type: string, claims: Told): Vouched {
    const { metadata_fields: fields = [], domain_restrictions: domains = [] } = view.configuration.providers.get(type) ?? {}
    const told: Record<string, unknown> = { ...claims }
    for (const [name, source] of Object.entries(renamed)) told[name] ??= claims[source]
    const email = typeof claims.email === 'string' && claims.email !== '' ? claims.email : undefined
    // Apple writes it as a text; Facebook tells confirmed addresses only, and does not say so.
    const isVerified = claims.email_verified === true || claims.email_verified === 'true'
    if (domains.length > 0) {
      const domain = email?.slice(email.lastIndexOf('@') + 1).toLowerCase() ?? ''
      const isAllowed = (isVerified || type === 'oauth2-facebook') && domains.some((each) => each.toLowerCase() === domain)
      if (!isAllowed) throw new AppRefused(401, 'DomainNotAllowed', 'the e-mail address is of a domain that may not log in to this app')
    }
    const { data, missing, tooLong } = mapMetadata(told, fields)
    if (missing[0] !== undefined) throw authError(`expected field '${missing[0]}' to be in token metadata`)
    if (tooLong[0] !== undefined) throw authError(`field '${tooLong[0]}' is longer than 4096 characters`)
    const text = (name: string, value = told[name]) => (typeof value === 'string' ? personNameIn(value) : undefined)
    const [displayName, givenName, familyName] = [text('name'), text('first_name'), text('last_name')]
    return {
      provider: type,
      key: claims.sub,
      data,
      profile: {
        ...(displayName && { displayName }),
        ...(givenName && { givenName }),
        ...(familyName && { familyName }),
        ...(email && { email, ...(isVerified && { emailVerified: true }) }),
      },
    }
  }

  async function start(view: AppView, type: string, target: Target): Promise<Begun> {
    const begun: BegunLogin = { redirectUri: callback, state: newSecret(), nonce: newSecret(), codeVerifier: newSecret() }
    const address = await connectorOf(type).addressOf(settingsOf(view, type), begun)
    const browserSecret = newSecret()
    const id = hashOf(begun.state)
    const flow: Flow = { ...begun, app: view.app.id, type, target, browserHash: hashOf(browserSecret) }
    await artifacts.put({ model, id, payload: { ...flow }, expiresAt: new Date(now().getTime() + flowMs) })
    return { address, id, browserSecret }
  }

  async function vouchedBy(view: AppView, flow: Flow, parameters: URLSearchParams): Promise<Vouched> {
    assertEnabled(view, flow.type)
    return vouched(view, flow.type, await connectorOf(flow.type).answered(settingsOf(view, flow.type), flow, parameters))
  }

  /** By what an application brings: `id_token`, `authCode` or `accessToken`. */
  const vouchFor =
    (type: string): VouchFor =>
    async (view, credentials) => {
      const { byIdToken, byCode, byAccessToken } = connectorOf(type)
      const settings = settingsOf(view, type)
      const given = (name: string) =>
        typeof credentials[name] === 'string' && credentials[name] !== '' ? (credentials[name] as string) : undefined
      const [idToken, code, accessToken] = [given('id_token'), given('authCode'), given('accessToken')]
      if (idToken !== undefined && byIdToken) return vouched(view, type, await byIdToken(settings, idToken))
      if (code !== undefined && byCode) return vouched(view, type, await byCode(settings, code))
      if (accessToken !== undefined && byAccessToken) return vouched(view, type, await byAccessToken(settings, accessToken))
      throw missingParameter([byIdToken && 'id_token', byCode && 'authCode', byAccessToken && 'accessToken'].filter(Boolean).join(' or '))
    }

  return {
    vouchFor,

    /** Begins the redirect flow of an application. @throws AppRefused, ProviderRefused */
    async begin(view: AppView, type: string, { redirect, state, device, linkTo }: RedirectRequest): Promise<Begun> {
      assertEnabled(view, type)
      if (!type.startsWith('oauth2-')) throw badRequest(`the provider ${type} has no redirect flow`)
      const { redirect_uris: allowed = [] } = view.configuration.providers.get(type) ?? {}
      if (typeof redirect !== 'string' || redirect === '') throw missingParameter('redirect')
      // As it stands: what is nearly the same may be somebody else's.
      if (!allowed.includes(redirect)) throw badRequest(`the redirect URI is not one of the provider ${type}'s redirect_uris`)
      const clientState = typeof state === 'string' ? state.slice(0, 1000) : ''
      return start(view, type, { redirect, clientState, ...(device && { device }), ...(linkTo && { linkTo }) })
    },

    /** Begins a login on Dossier's own pages. @throws AppRefused, ProviderRefused */
    async beginOnPage(view: AppView, type: string, interaction: string): Promise<Begun> {
      assertEnabled(view, type)
      return start(view, type, { interaction })
    },

    /** What a login came to that was begun by this interaction. It can be looked at until it is `spent`. */
    async findTicket(ticket: string, interaction: string): Promise<Ticket | undefined> {
      const found = await artifacts.find(ticketModel, hashOf(ticket))
      const payload = found && payloadOf<Ticket>(found)
      return found?.consumedAt === undefined && payload?.interaction === interaction ? payload : undefined
    },

    /** Uses a ticket up; `false` when it was before. */
    spend: (ticket: string): Promise<boolean> => artifacts.consume(ticketModel, hashOf(ticket), now()),

    /** The id of the flow that an answer belongs to. */
    flowOf: (parameters: URLSearchParams): string => hashOf(parameters.get('state') ?? ''),

    /**
     * Ends the redirect flow: where the person goes now, with tokens or with what went wrong in the fragment. `asRefusal` says an error in words for the application, or
     * throws it. @throws AppRefused when nothing of the kind was begun in this browser
     */
    async finish(
      parameters: URLSearchParams,
      browserSecret: string | undefined,
      { facts, asRefusal }: { readonly facts: LoginOptions['facts']; readonly asRefusal: (error: unknown) => string },
    ): Promise<string> {
      const id = hashOf(parameters.get('state') ?? '')
      const found = await artifacts.find(model, id)
      const flow = found && payloadOf<Flow>(found)
      const view = flow && (await findApp(flow.app))
      const isOurs = flow && browserSecret !== undefined && hashOf(browserSecret) === flow.browserHash
      if (!view || !isOurs || !(await artifacts.consume(model, id, now())))
        throw badRequest('this login has expired, was ended already, or was begun in another browser')
      const { target, type } = flow
      if ('interaction' in target) {
        const outcome = await vouchedBy(view, flow, parameters).then(
          (someone) => ({ vouched: someone }),
          (error: unknown) => ({ problem: asRefusal(error) }),
        )
        const ticket = newSecret()
        const payload: Ticket = { app: view.app.id, type, interaction: target.interaction, ...outcome }
        await artifacts.put({
          model: ticketModel,
          id: hashOf(ticket),
          payload: { ...payload },
          expiresAt: new Date(now().getTime() + flowMs),
        })
        return interactionAddress(target.interaction, ticket)
      }
      const { redirect, clientState, device, linkTo } = target
      const back = (answer: Readonly<Record<string, string>>) => {
        const rest = { ...answer, _baas_state: clientState, _baas_client_app_id: view.app.clientAppId }
        // SDKs decode percent signs, and no plus sign.
        const fragment = Object.entries(rest).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
        return `${redirect}#${fragment.join('&')}`
      }
      try {
        const someone = await vouchedBy(view, flow, parameters)
        const entered = await admit(view, someone, { facts, ...(device && { device }), ...(linkTo && { linkTo }) })
        return back({ ...(linkTo && { _baas_link: 'ok' }), _baas_ua: authInfoOf(entered) })
      } catch (error) {
        return back({ _baas_error: asRefusal(error) })
      }
    },
  }
}

/** What SDKs take apart at the dollar signs. */
const authInfoOf = ({ user, session, accessToken, refreshToken = '' }: LoggedIn) =>
  [accessToken, refreshToken, user.id, session.device.id].join('$')

const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url')
