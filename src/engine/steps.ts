/** Steps of the engine's endpoints that are wrapped or replaced, each with what it mends. They are shared by all Providers of a process. */

import { parse } from 'node:querystring'
import { decodeJwt } from 'jose'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { type Endpoint, errors, replaceStep, type Step, stateOf } from './internals.ts'
import { installRegistrationSteps } from './registration.ts'
import { requestByReference } from './requestUris.ts'

const clientEndpoints: readonly Endpoint[] = ['token', 'introspection', 'revocation', 'deviceAuthorization', 'pushedAuthorization']

/** What the steps leave for the engine's hooks in `ctx.state`. */
export interface StepState {
  /** The client secret as it stood in the Basic header, before form-decoding. */
  rawClientSecret?: string
  /** The text of the form, when somebody else has read it before the engine. */
  form?: string
  /** The person chose to stay signed in. */
  signOutCancelled?: boolean
}

type Answer = (ctx: KoaContextWithOIDC) => Promise<boolean>

const introspectors = new WeakMap<object, Answer>()

/** Lets `answer` introspect tokens at one Provider; where it answers `false` the engine does. */
export const introspectWith = (provider: object, answer: Answer) => void introspectors.set(provider, answer)

const answeredFirst = (original: Step): Step =>
  async function renderTokenResponse(ctx, next) {
    const answer = introspectors.get(ctx.oidc.provider)
    if (!(await answer?.(ctx))) await original(ctx, next)
  }

/** Wraps the steps. It is done before a Provider is made, which copies them. */
export function installSteps(): void {
  for (const endpoint of ['introspection', 'revocation'] as const) {
    // Our JWT access tokens are stored, so they can be introspected and revoked.
    replaceStep(endpoint, 'rejectStructuredTokens', () => (_ctx, next) => next())
  }
  for (const endpoint of clientEndpoints) replaceStep(endpoint, 'authenticateClient', lenientBasic)
  for (const endpoint of ['token', 'introspection'] as const) replaceStep(endpoint, 'urlencoded', formOnce)
  for (const endpoint of ['authorization', 'pushedAuthorization', 'deviceAuthorization'] as const) {
    replaceStep(endpoint, 'checkScope', offlineAccess)
    replaceStep(endpoint, 'rejectUnsupported', () => rejectUnsupported)
    replaceStep(endpoint, 'rejectRegistration', () => rejectRegistration)
  }
  replaceStep('authorization', 'loadPushedAuthorizationRequest', requestByReference)
  replaceStep('introspection', 'renderTokenResponse', answeredFirst)
  installRegistrationSteps()
  replaceStep('endSession', 'endSessionChecks', () => endSessionChecks)
  replaceStep('endSessionConfirm', 'endSession', cancellable)
}

/** A form is read once: the quick ways beside the engine look at it before. */
const formOnce = (original: Step): Step =>
  function urlencoded(ctx, next) {
    const { form } = ctx.state as StepState
    if (form === undefined) return original(ctx, next)
    Object.assign(ctx.oidc, { body: parse(form) })
    return next()
  }

/**
 * Basic authentication as libraries really send it (relying-parties.md): an empty password of a public client counts as no
 * authentication, and credentials that were not form-encoded are understood too.
 */
const lenientBasic = (original: Step): Step =>
  function authenticateClient(ctx, next) {
    const basic = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(ctx.headers.authorization ?? '')?.[1]
    if (basic === undefined) return original(ctx, next)
    const text = Buffer.from(basic, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon < 0) return original(ctx, next)
    const [id, secret] = [text.slice(0, colon), text.slice(colon + 1)]
    const params = ctx.oidc.params as Record<string, unknown>
    if (secret === '') {
      const clientId = formDecoded(id) ?? id
      if (params.client_id !== undefined && params.client_id !== clientId) throw new errors.InvalidRequest('client_id mismatch')
      delete ctx.headers.authorization
      params.client_id = clientId
    } else if (secret.includes('%') || secret.includes('+') || id.includes('%')) {
      ;(ctx.state as StepState).rawClientSecret = secret
      const encoded = `${formDecoded(id) === undefined ? encodeURIComponent(id) : id}:${formDecoded(secret) === undefined ? encodeURIComponent(secret) : secret}`
      ctx.headers.authorization = `Basic ${Buffer.from(encoded).toString('base64')}`
    }
    return original(ctx, next)
  }

function formDecoded(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', '%20'))
    // What a client id or secret may consist of (RFC 6749, appendix A): anything else was not encoded in the first place.
    return /^[\x20-\x7E]*$/.test(decoded) ? decoded : undefined
  } catch {
    return undefined
  }
}

/** The engine refuses these two without a word. */
const rejectUnsupported: Step = (ctx, next) => {
  if (ctx.oidc.params?.request_uri !== undefined && ctx.oidc.route !== 'authorization')
    throw new errors.RequestUriNotSupported('request_uri: only the authorization endpoint takes it')
  return next()
}

const rejectRegistration: Step = (ctx, next) => {
  if (ctx.oidc.params?.registration !== undefined)
    throw new errors.RegistrationNotSupported('registration: applications are registered before they ask, not in a request')
  return next()
}

/**
 * `offline_access` is kept without `prompt=consent`, which no library sends: an application with the refresh token grant gets what it
 * asked for. The engine would drop the scope.
 */
const offlineAccess = (original: Step): Step =>
  async function checkScope(ctx, next) {
    const { params, client } = ctx.oidc
    const asked = typeof params?.scope === 'string' && params.scope.split(' ').includes('offline_access')
    const responseType = params?.response_type
    const allowed = client?.grantTypeAllowed('refresh_token') && (typeof responseType !== 'string' || responseType.includes('code'))
    return original(ctx, () => {
      if (
        asked &&
        allowed &&
        params &&
        !String(params.scope ?? '')
          .split(' ')
          .includes('offline_access')
      ) {
        params.scope = [params.scope, 'offline_access'].filter(Boolean).join(' ')
      }
      return next()
    })
  }

/**
 * The checks of RP-Initiated Logout 1.0, section 2, for ID tokens whose `aud` names a whole project: the client is then the `azp`. The
 * engine takes `aud` for the client id and refuses such a hint.
 */
async function endSessionChecks(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
  const { params, provider } = ctx.oidc
  const text = (name: string) => (typeof params?.[name] === 'string' ? (params[name] as string) : undefined)
  const hint = text('id_token_hint')
  let clientId = text('client_id')
  if (hint !== undefined) {
    const named = partyOf(hint)
    if (named === undefined) throw new errors.InvalidRequest('could not decode id_token_hint')
    if (clientId !== undefined && clientId !== named) throw new errors.InvalidRequest('client_id does not match the provided id_token_hint')
    clientId = named
  }
  const client = clientId === undefined ? undefined : await provider.Client.find(clientId)
  if (clientId !== undefined && !client) throw new errors.InvalidClient('unrecognized client', 'client not found')
  if (client && hint !== undefined) {
    await (provider.IdToken as unknown as { validate(jwt: string, client: unknown): Promise<unknown> })
      .validate(hint, client)
      .catch((cause: unknown) => {
        throw cause instanceof errors.OIDCProviderError ? cause : new errors.InvalidRequest('could not validate id_token_hint')
      })
  }
  if (client) ctx.oidc.entity('Client', client)
  const uri = text('post_logout_redirect_uri')
  if (uri !== undefined && params) {
    if (!client) params.post_logout_redirect_uri = undefined
    else if (!client.postLogoutRedirectUriAllowed(uri)) throw new errors.InvalidRequest('post_logout_redirect_uri not registered')
  }
  await next()
}

function partyOf(hint: string): string | undefined {
  try {
    const { azp, aud } = decodeJwt(hint)
    return typeof azp === 'string' ? azp : Array.isArray(aud) ? aud[0] : aud
  } catch {
    return undefined
  }
}

/** Cancel means that nothing happened, and a page says so. The engine would still sign the person out of the one application. */
const cancellable = (original: Step): Step =>
  async function endSession(ctx, next) {
    if (ctx.oidc.params?.logout) return original(ctx, next)
    const { session, provider } = ctx.oidc
    const { clientId } = (session?.state ?? {}) as { clientId?: string }
    // Whoever is not there any more has no way back.
    const client = clientId === undefined ? undefined : await provider.Client.find(clientId).catch(() => undefined)
    if (client) ctx.oidc.entity('Client', client)
    if (session) session.state = undefined
    ;(ctx.state as StepState).signOutCancelled = true
    await stateOf(provider).configuration.features.rpInitiatedLogout.postLogoutSuccessSource(ctx)
  }
