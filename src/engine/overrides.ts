/** Prototype overrides that give the engine ZITADEL's reserved scopes and hashed client secrets. Each is its extension point by custom, not by contract. */
import { secretMatches } from '#src/domain/users/secrets.ts'
import { addedNames } from './claims.ts'
import { Provider, stateOf } from './internals.ts'
import { isDynamicScope } from './scopes.ts'
import type { StepState } from './steps.ts'

interface SessionModel {
  readonly id: string
  readonly exp?: number
  persist(): Promise<unknown>
  save(ttlSeconds: number): Promise<unknown>
}

interface ContextPrototype {
  readonly params: { readonly scope?: string }
}

/** Installs the overrides on one Provider. `sessionTtlSeconds` is asked when a session is stored. */
export function installOverrides(provider: Provider, sessionTtlSeconds: () => number): void {
  const { scopes, cookies } = stateOf(provider).configuration
  const { Claims, Client, OIDCContext, Session } = provider as unknown as {
    Session: { prototype: SessionModel }
    Claims: {
      prototype: { result(): Promise<Record<string, unknown>>; available: Record<string, unknown> & { [addedNames]?: readonly string[] } }
    }
    Client: { prototype: object }
    OIDCContext: { prototype: object }
  }

  // The engine knows only scopes that it was told one by one; these carry an argument.
  Object.defineProperty(OIDCContext.prototype, 'requestParamOIDCScopes', {
    configurable: true,
    get(this: ContextPrototype) {
      return new Set((this.params.scope?.split(' ') ?? []).filter((scope) => scopes.has(scope) || isDynamicScope(scope)))
    },
  })

  // Claims whose names carry an argument (`urn:zitadel:iam:org:project:{id}:roles`) cannot be listed in advance. account.ts makes only
  // those that were granted.
  const { result } = Claims.prototype
  Claims.prototype.result = async function (this: typeof Claims.prototype) {
    const claims = await result.call(this)
    const { available } = this
    for (const name of Object.keys(available)) if (name.startsWith('urn:zitadel:iam:')) claims[name] = available[name]
    for (const name of available[addedNames] ?? []) claims[name] ??= available[name]
    return claims
  }

  // A form that is shown because of an error gets its token after the session was stored, or not. The engine then fails on a session that is
  // new; here it is stored, and the browser told.
  const { persist } = Session.prototype
  Session.prototype.persist = async function (this: SessionModel) {
    if (typeof this.exp === 'number') return persist.call(this)
    Provider.ctx?.oidc.cookies.set(provider.cookieName('session'), this.id, cookies.long)
    return this.save(sessionTtlSeconds())
  }

  Object.assign(Client.prototype, {
    /** The stored secret is a hash; a secret with `%` or `+` is taken form-encoded and as it stands. */
    compareClientSecret(this: { clientSecret?: string }, actual: string) {
      const raw = (Provider.ctx?.state as StepState | undefined)?.rawClientSecret
      const asDecoded = secretMatches(actual, this.clientSecret ?? '')
      const asWritten = raw !== undefined && secretMatches(raw, this.clientSecret ?? '')
      return asDecoded || asWritten
    },
    /** `sid` in every ID token, so that it is in both or in neither of ID token and logout token. */
    includeSid: () => true,
  })
}
