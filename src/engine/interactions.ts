import type { Context } from 'koa'
import type { Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { DomainError } from '#src/base/errors.ts'
import { passwordAcr } from './acr.ts'
import { errors } from './internals.ts'

/** What a person is asked for, and by which application. */
export interface Interaction {
  readonly uid: string
  readonly prompt: 'login' | 'consent' | 'select_account' | 'create'
  readonly clientId: string
  readonly applicationName: string
  readonly logoUri?: string
  readonly policyUri?: string
  readonly tosUri?: string
  /** Who is signed in already. */
  readonly accountId?: string
  readonly loginHint?: string
  /** Languages that the application asked for, the best first, with blanks between them. */
  readonly uiLocales?: string
  /** Scopes that want an answer: those that are missing, or all, when nothing is missing and the person is asked again. */
  readonly wantedScopes: readonly string[]
  readonly missingClaims: readonly string[]
}

interface SignedIn {
  readonly accountId: string
  readonly amr: readonly string[]
}

/** The same form came a moment before, or the interaction is over. */
class InteractionGone extends DomainError {
  readonly code = 'session_not_found'
  constructor() {
    super('this sign-in has expired, or was completed already; go back to the application and start again')
  }
}

/** What the engine's consent prompt lacks. */
interface Missing {
  readonly missingOIDCScope?: string[]
  readonly missingOIDCClaims?: string[]
  readonly missingResourceScopes?: Readonly<Record<string, string[]>>
}

function wantedScopes({ missingOIDCScope = [], missingResourceScopes = {} }: Missing, asked: unknown): readonly string[] {
  const missing = new Set([...missingOIDCScope, ...Object.values(missingResourceScopes).flat()])
  if (missing.size > 0) return [...missing]
  return typeof asked === 'string' ? asked.split(' ') : []
}

/** What the pages need of the engine. Every function answers for the browser that holds the interaction's cookie, and for no other. */
export interface Interactions {
  /** The interaction of this browser, `undefined` when it has none (any more) under this address. */
  find(ctx: Context): Promise<Interaction | undefined>
  signIn(ctx: Context, result: SignedIn): Promise<void>
  /** Goes on with the person who is signed in. */
  keepAccount(ctx: Context): Promise<void>
  consent(ctx: Context): Promise<string>
  deny(ctx: Context): Promise<void>
}

/** Interactions over the engine's own; `ctx.params.uid` must be the uid of the address. */
export function createInteractions(provider: Provider, now: Clock): Interactions {
  async function detailsOf(ctx: Context) {
    try {
      const details = await provider.interactionDetails(ctx.req, ctx.res)
      return details.uid === ctx.params.uid ? details : undefined
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined
      throw error
    }
  }

  async function finish(ctx: Context, result: object) {
    const returnTo = await provider.interactionResult(ctx.req, ctx.res, result as never).catch((error: unknown) => {
      throw error instanceof errors.SessionNotFound ? new InteractionGone() : error
    })
    ctx.status = 303
    ctx.redirect(returnTo)
  }

  return {
    async find(ctx) {
      const details = await detailsOf(ctx)
      if (!details) return undefined
      const client = await provider.Client.find(details.params.client_id as string)
      if (!client) return undefined
      const missing = details.prompt.details as Missing
      return {
        uid: details.uid,
        prompt: details.prompt.name as Interaction['prompt'],
        clientId: client.clientId,
        applicationName: client.clientName ?? client.clientId,
        logoUri: client.logoUri,
        policyUri: client.policyUri,
        tosUri: client.tosUri,
        accountId: details.session?.accountId,
        loginHint: typeof details.params.login_hint === 'string' ? details.params.login_hint : undefined,
        uiLocales: typeof details.params.ui_locales === 'string' ? details.params.ui_locales : undefined,
        wantedScopes: wantedScopes(missing, details.params.scope),
        missingClaims: missing.missingOIDCClaims ?? [],
      }
    },

    signIn: (ctx, { accountId, amr }) =>
      finish(ctx, {
        login: { accountId, ...(amr.includes('pwd') && { acr: passwordAcr }), amr: [...amr], ts: epochSeconds(now()) },
        select_account: {},
        create: {},
      }),
    keepAccount: (ctx) => finish(ctx, { select_account: {}, create: {} }),

    async consent(ctx) {
      const details = await detailsOf(ctx)
      if (!details?.session) throw new errors.SessionNotFound('interaction session not found')
      const clientId = details.params.client_id as string
      const { accountId } = details.session
      const existing = details.grantId === undefined ? undefined : await provider.Grant.find(details.grantId)
      const grant = existing ?? new provider.Grant({ accountId, clientId })
      const missing = details.prompt.details as Missing
      if (missing.missingOIDCScope) grant.addOIDCScope(missing.missingOIDCScope.join(' '))
      if (missing.missingOIDCClaims) grant.addOIDCClaims(missing.missingOIDCClaims)
      for (const [indicator, scopes] of Object.entries(missing.missingResourceScopes ?? {}))
        grant.addResourceScope(indicator, scopes.join(' '))
      const scope = wantedScopes({ missingOIDCScope: missing.missingOIDCScope }, details.params.scope).join(' ')
      await finish(ctx, { consent: { grantId: await grant.save() } })
      return scope
    },

    deny: (ctx) => finish(ctx, { error: 'access_denied', error_description: 'the End-User refused' }),
  }
}
