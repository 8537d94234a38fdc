// Modules of oidc-provider that its published types leave out: only what internals.ts uses of them.
declare module 'oidc-provider/lib/helpers/weak_cache.js' {
  import type { Provider } from 'oidc-provider'
  export default function instance(provider: Provider): import('./internals.ts').EngineState
}
declare module 'oidc-provider/lib/helpers/validate_dpop.js' {
  import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
  export function getDpopJwt(provider: Provider, ctx: KoaContextWithOIDC): import('./internals.ts').DpopProof | undefined
}
declare module 'oidc-provider/lib/helpers/initialize_keystore.js' {
  import type { Provider } from 'oidc-provider'
  export default function initializeKeystore(this: Provider, jwks: { keys: readonly object[] }): void
}
declare module 'oidc-provider/lib/actions/token.js' {
  const steps: import('./internals.ts').Step[]
  export default steps
}
declare module 'oidc-provider/lib/actions/introspection.js' {
  const steps: import('./internals.ts').Step[]
  export default steps
}
declare module 'oidc-provider/lib/actions/revocation.js' {
  const steps: import('./internals.ts').Step[]
  export default steps
}
declare module 'oidc-provider/lib/actions/registration.js' {
  export const post: import('./internals.ts').Step[]
  export const get: import('./internals.ts').Step[]
  export const put: import('./internals.ts').Step[]
}
declare module 'oidc-provider/lib/actions/end_session.js' {
  export const init: import('./internals.ts').Step[]
  export const confirm: import('./internals.ts').Step[]
}
declare module 'oidc-provider/lib/actions/authorization/index.js' {
  export default function stepsOf(endpoint: string): import('./internals.ts').Step[]
}
declare module 'oidc-provider/lib/helpers/fetch_request.js' {
  import type { Provider } from 'oidc-provider'
  export function isSpecialUseIP(address: string): boolean
  export default function fetchGuarded(provider: Provider, url: string, options: RequestInit): Promise<Response>
}
declare module 'oidc-provider/lib/provider.js' {
  export { Provider } from 'oidc-provider'
}
declare module 'oidc-provider/lib/helpers/errors.js' {
  import { errors } from 'oidc-provider'
  export = errors
}
declare module 'oidc-provider/lib/helpers/interaction_policy/index.js' {
  import { interactionPolicy } from 'oidc-provider'
  export = interactionPolicy
}
declare module 'oidc-provider/lib/helpers/re_render_errors.js' {
  export class AlreadyUsedError extends Error {}
}
