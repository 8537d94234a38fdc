/**
 * Sign-in pages of somebody else: whoever asks for an application that has one is sent there, and it answers by an API. What it has found out is put into
 * the interaction, and the engine then answers the authorization request as for any browser; where it would send the browser is what the page is told.
 */

import type Koa from 'koa'
import type { Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import type { Application } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import {
  type AuthorizationRequest,
  AuthorizationRequestGone,
  AuthorizationRequestNotAnswered,
  type AuthorizationRequests,
  type DeviceRequest,
  type SignedInPerson,
} from '#src/domain/sessions/authorizationRequests.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import { passwordAcr } from './acr.ts'
import type { createCookieSigner } from './cookies.ts'

/** As ZITADEL marks the ids of requests that its second API answers. */
const idPrefix = 'V2_'

/** Where a browser is sent to sign in for an application: to a page of its own, if it has one. */
export const signInAddress = (
  application: Application | undefined,
  { uid, deviceCode }: { readonly uid: string; readonly deviceCode?: string },
): string => {
  const baseUri = application?.loginVersion?.baseUri
  // Whoever has typed the code of a device is on a page of ours.
  if (!baseUri || deviceCode !== undefined) return `/interaction/${uid}`
  const address = new URL(baseUri)
  address.pathname = `${address.pathname.replace(/\/$/, '')}/login`
  address.searchParams.set('authRequest', `${idPrefix}${uid}`)
  return address.href
}

export interface CustomLoginDeps {
  readonly provider: Provider
  readonly app: Koa
  readonly issuer: string
  readonly artifacts: Pick<ArtifactStore, 'consume'>
  readonly catalogue: Pick<Catalogue, 'find'>
  readonly cookieSigner: ReturnType<typeof createCookieSigner>
  readonly now: Clock
}

type Interaction = InstanceType<Provider['Interaction']>

export function createAuthorizationRequests(deps: CustomLoginDeps): AuthorizationRequests {
  const { provider, app, issuer, artifacts, catalogue, cookieSigner, now } = deps
  // As the engine makes it, which its types do not know.
  const NewInteraction = provider.Interaction as unknown as new (uid: string, facts: object) => Interaction
  const resumeCookie = provider.cookieName('resume')

  async function existing(id: string): Promise<Interaction> {
    const found = id.startsWith(idPrefix) ? await provider.Interaction.find(id.slice(idPrefix.length)) : undefined
    if (!found || (found as { consumed?: unknown }).consumed || found.deviceCode) throw new AuthorizationRequestGone()
    return found
  }

  /** Answers where the engine sends a browser that has come back from the interaction. Of many at once, one is answered. */
  async function resume(
    interaction: Interaction,
    path: string,
    result: object,
  ): Promise<{ readonly location?: string; readonly status: number }> {
    if (!(await artifacts.consume('Interaction', interaction.uid, now()))) throw new AuthorizationRequestGone()
    interaction.result = result as Interaction['result']
    // The page may have been asked in a browser where somebody is signed in at Dossier; that is not who answers.
    interaction.session = undefined
    await interaction.save(Math.max(1, interaction.exp - epochSeconds(now())))
    const cookie = `${resumeCookie}=${interaction.uid}`
    // Most servers have no such page.
    const { default: inject } = await import('light-my-request')
    const { statusCode, headers } = await inject(app.callback() as never, {
      method: 'GET',
      url: `${path}${interaction.uid}`,
      headers: { host: new URL(issuer).host, cookie: `${cookie}; ${resumeCookie}.sig=${cookieSigner.sign(cookie)}` },
    })
    return { status: statusCode, ...(typeof headers.location === 'string' && { location: headers.location }) }
  }

  /** What a person is taken to have granted: whose page it is has asked them. */
  async function grantFor(clientId: string, accountId: string, scope: string): Promise<string> {
    const grant = new provider.Grant({ accountId, clientId })
    grant.addOIDCScope(scope)
    return grant.save()
  }

  async function accepted({ userId, signedInAt, amr }: SignedInPerson, clientId: string, scope: string) {
    const grantId = await grantFor(clientId, userId, scope)
    const login = { accountId: userId, acr: passwordAcr, amr: [...amr], ts: epochSeconds(signedInAt) }
    return { login, consent: { grantId }, select_account: {}, create: {} }
  }

  async function answered(interaction: Interaction, result: object): Promise<string> {
    const { location } = await resume(interaction, '/oauth/v2/authorize/', result)
    if (!location || location.startsWith('/interaction/') || new URL(location, issuer).origin === issuer)
      throw new AuthorizationRequestNotAnswered()
    return location
  }

  async function deviceCode(id: string) {
    const code = await provider.DeviceCode.find(id)
    if (!code || code.error || code.accountId || code.inFlight) throw new AuthorizationRequestGone()
    return code
  }

  return {
    async find(id) {
      return requestOf(await existing(id))
    },

    async complete(id, person) {
      const interaction = await existing(id)
      const { client_id: clientId, scope } = interaction.params as { client_id: string; scope?: string }
      return answered(interaction, await accepted(person, clientId, scope ?? 'openid'))
    },

    async refuse(id, error, description) {
      return answered(await existing(id), { error, error_description: description })
    },

    async findDevice(userCode): Promise<DeviceRequest> {
      const code = await provider.DeviceCode.findByUserCode(userCode.replace(/\W/g, '').toUpperCase())
      if (!code || code.error || code.accountId || code.inFlight || code.isExpired) throw new AuthorizationRequestGone()
      const view = await catalogue.find(code.clientId as string)
      const { scope = '' } = code.params as { scope?: string }
      return {
        id: code.jti,
        clientId: code.clientId as string,
        scopes: scope.split(' ').filter(Boolean),
        applicationName: view?.application.name ?? '',
        projectName: view?.project.name ?? '',
      }
    },

    async completeDevice(id, person) {
      const code = await deviceCode(id)
      const params = code.params as { scope?: string }
      code.inFlight = true
      await code.save()
      const uid = newSecret()
      const interaction = new NewInteraction(uid, {
        returnTo: `${issuer}/device/${uid}`,
        prompt: { name: 'login', reasons: [], details: {} },
        params: code.params,
        deviceCode: code.jti,
        cid: newSecret(),
      })
      await interaction.save(600)
      const clientId = code.clientId as string
      const { status } = await resume(interaction, '/device/', await accepted(person, clientId, params.scope ?? 'openid'))
      if (status !== 200) throw new AuthorizationRequestNotAnswered()
    },

    async refuseDevice(id) {
      const code = await deviceCode(id)
      Object.assign(code, { error: 'access_denied', errorDescription: 'End-User aborted interaction' })
      await code.save()
    },
  }
}

function requestOf({ uid, params, iat, session }: Interaction): AuthorizationRequest {
  const text = (name: string) => (typeof params[name] === 'string' ? (params[name] as string) : undefined)
  const words = (name: string) => text(name)?.split(' ').filter(Boolean) ?? []
  const maxAge = params.max_age === undefined ? undefined : Number(params.max_age)
  const { loginHint, hintUserId } = { loginHint: text('login_hint'), hintUserId: session?.accountId }
  return {
    id: `${idPrefix}${uid}`,
    createdAt: new Date(iat * 1000),
    clientId: text('client_id') ?? '',
    redirectUri: text('redirect_uri') ?? '',
    scopes: words('scope'),
    prompts: words('prompt'),
    uiLocales: words('ui_locales'),
    ...(loginHint !== undefined && { loginHint }),
    ...(maxAge !== undefined && { maxAgeSeconds: maxAge }),
    ...(hintUserId !== undefined && { hintUserId }),
  }
}
