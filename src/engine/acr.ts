/**
 * Authentication context (OpenID Connect Core, section 2 and 5.5.1.1): how surely we know who is there. A session that does not reach what is asked for is
 * stepped up by a new sign-in.
 */
import type { KoaContextWithOIDC } from 'oidc-provider'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { errors, interactionPolicy, type Provider } from './internals.ts'

/** Signed in with a password, at some time in this session. */
export const passwordAcr = 'urn:dossier:acr:password'
/** The same, within the last five minutes. */
const freshPasswordAcr = 'urn:dossier:acr:password:fresh'
const freshSeconds = 300

/** What applications may ask for, the weakest first. */
export const acrValues = [passwordAcr, freshPasswordAcr]

interface AcrRequest {
  readonly essential?: boolean
  readonly value?: unknown
  readonly values?: unknown
}

interface RequestContext {
  readonly claims?: { readonly id_token?: { readonly acr?: AcrRequest | null } }
  readonly session?: { readonly acr?: string; readonly loginTs?: number }
}

const askedBy = ({ claims }: RequestContext): readonly string[] => {
  const { value, values } = claims?.id_token?.acr ?? {}
  return [value, ...(Array.isArray(values) ? values : [])].filter((each) => typeof each === 'string')
}

/** What the session reaches, the strongest last. */
function reached({ session }: RequestContext, now: Date): readonly string[] {
  if (session?.acr === undefined) return []
  const isFresh = session.acr === passwordAcr && epochSeconds(now) - (session.loginTs ?? 0) <= freshSeconds
  return isFresh ? [session.acr, freshPasswordAcr] : [session.acr]
}

/** Lets a session say what it reaches of what is asked for, in the order of preference in which it is asked. */
export function installAcr(provider: Provider, now: Clock): void {
  const { OIDCContext } = provider as unknown as { OIDCContext: { prototype: object } }
  Object.defineProperty(OIDCContext.prototype, 'acr', {
    configurable: true,
    get(this: RequestContext) {
      const levels = reached(this, now())
      return askedBy(this).find((each) => levels.includes(each)) ?? this.session?.acr
    },
  })
}

/** Asks for a sign-in when something that we offer was asked for, and the session reaches none of it. */
export const stepUpCheck = () => {
  const { Check } = interactionPolicy
  return new Check('acr_values', 'the session does not reach the requested authentication context', 'login_required', (ctx) => {
    const context = ctx.oidc as unknown as RequestContext & { readonly acr?: string }
    const offered = askedBy(context).filter((each) => acrValues.includes(each))
    const isMissing = offered.length > 0 && !offered.includes(context.acr ?? '')
    return isMissing && ctx.oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT
  })
}

/** Refuses what no sign-in can reach, rather than asking a person for their password again and again. */
export function assertReachable(_ctx: KoaContextWithOIDC, claims: { id_token?: { acr?: AcrRequest | null } }): void {
  const asked = askedBy({ claims })
  if (claims.id_token?.acr?.essential && asked.length > 0 && !asked.some((each) => acrValues.includes(each))) {
    throw new errors.UnmetAuthenticationRequirements(`acr: none of the values is supported; there are ${acrValues.join(' and ')}`)
  }
}
