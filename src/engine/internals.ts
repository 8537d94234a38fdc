/**
 * The one file that reaches behind oidc-provider's public interface. The version is pinned; every reach is named here with its reason,
 * and test/engine/internals.test.ts fails when an upgrade breaks one.
 *
 * - `Provider`, `errors`, `interactionPolicy`: taken from where they are made, because the package's entry warns on every Node that is not
 *   a long-term one, the project's own among them.
 * - `AlreadyUsedError`: what the pages of the device flow show as "used already", and nobody else throws.
 * - `isSpecialUseIP`: the engine's own list of private networks, so that there are not two.
 * - `fetchGuarded`: the engine's outgoing calls, with their time-out and their guard against private networks, for request objects by reference.
 * - `dpopProofOf`: the proof of a request as the engine has verified it, to remember it by its key.
 * - `stateOf`: the engine's private state. Needed to know the scopes without an argument, to render the page of a sign-out, to wrap a grant,
 *   to answer by a form that is a page of ours.
 * - `replaceKeys`: the engine reads its keys once, in its constructor; this reads them again.
 * - `replaceStep`: an endpoint of the engine is an array of named steps. A few of them are wrapped or replaced, before a Provider is
 *   made, where the engine has no option for what our users need.
 */

import type { Provider as EngineProvider, KoaContextWithOIDC } from 'oidc-provider'
import authorizationSteps from 'oidc-provider/lib/actions/authorization/index.js'
import * as endSession from 'oidc-provider/lib/actions/end_session.js'
import introspection from 'oidc-provider/lib/actions/introspection.js'
import * as registration from 'oidc-provider/lib/actions/registration.js'
import revocation from 'oidc-provider/lib/actions/revocation.js'
import token from 'oidc-provider/lib/actions/token.js'
import * as errors from 'oidc-provider/lib/helpers/errors.js'
import fetchGuarded, { isSpecialUseIP } from 'oidc-provider/lib/helpers/fetch_request.js'
import initializeKeystore from 'oidc-provider/lib/helpers/initialize_keystore.js'
import * as interactionPolicy from 'oidc-provider/lib/helpers/interaction_policy/index.js'
import { AlreadyUsedError } from 'oidc-provider/lib/helpers/re_render_errors.js'
import { getDpopJwt } from 'oidc-provider/lib/helpers/validate_dpop.js'
import instance from 'oidc-provider/lib/helpers/weak_cache.js'
import { Provider } from 'oidc-provider/lib/provider.js'

export { AlreadyUsedError, errors, fetchGuarded, interactionPolicy, isSpecialUseIP, Provider }

type Next = () => Promise<unknown>
export type Step = (ctx: KoaContextWithOIDC, next: Next) => unknown

/** What we use of the engine's private state. */
export interface EngineState {
  readonly responseModes: Map<
    string,
    (ctx: KoaContextWithOIDC, redirectUri: string, payload: Readonly<Record<string, string>>) => Promise<void>
  >
  readonly grantTypeHandlers: Map<string, (ctx: KoaContextWithOIDC) => Promise<void>>
  readonly configuration: {
    readonly scopes: ReadonlySet<string>
    readonly cookies: { readonly long: { readonly signed: boolean } }
    readonly features: { readonly rpInitiatedLogout: { readonly postLogoutSuccessSource: (ctx: KoaContextWithOIDC) => Promise<void> } }
  }
}

export interface DpopProof {
  readonly protectedHeader: { readonly jwk?: object }
  readonly payload: { readonly jti?: unknown }
}

export const stateOf = (provider: EngineProvider): EngineState => instance(provider)

/** The DPoP proof that the engine has verified in the request at hand. */
export const dpopProofOf = (provider: EngineProvider): DpopProof | undefined =>
  Provider.ctx ? getDpopJwt(provider, Provider.ctx) : undefined

/** Signs with, and publishes, `keys` from now on: of each algorithm the first one signs. */
export const replaceKeys = (provider: EngineProvider, keys: readonly object[]) => initializeKeystore.call(provider, { keys })

const endpoints = {
  authorization: () => authorizationSteps('authorization'),
  deviceAuthorization: () => authorizationSteps('device_authorization'),
  pushedAuthorization: () => authorizationSteps('pushed_authorization_request'),
  token: () => token,
  introspection: () => introspection,
  revocation: () => revocation,
  registration: () => registration.post,
  registrationRead: () => registration.get,
  registrationUpdate: () => registration.put,
  endSession: () => endSession.init,
  endSessionConfirm: () => endSession.confirm,
} as const

export type Endpoint = keyof typeof endpoints

const replaced = new Set<string>()

/**
 * Puts `wrap(original)` in the place of the step `name` of an endpoint. Steps belong to the module, not to a Provider, so a second call
 * for the same step is the same request again and does nothing.
 * @throws TypeError when the endpoint has no such step: the engine was upgraded and this file was not
 */
export function replaceStep(endpoint: Endpoint, name: string, wrap: (original: Step) => Step): void {
  const key = `${endpoint}.${name}`
  if (replaced.has(key)) return
  const steps = endpoints[endpoint]()
  const index = steps.findIndex((step) => step.name === name || step.name === `bound ${name}`)
  const original = steps[index]
  if (!original) throw new TypeError(`oidc-provider has no step ${key}`)
  steps[index] = wrap(original)
  replaced.add(key)
}
