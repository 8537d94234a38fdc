import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import type { Sealer } from '#src/domain/keys/seal.ts'
import type { Proxied } from './proxied.ts'

/** A sign-in that a browser has begun. */
export interface Attempt {
  /** Where the person wanted to go. */
  readonly to: string
  /** PKCE (RFC 7636). */
  readonly verifier: string
}

/** The person may take as long as the page of the sign-in stands. */
const attemptSeconds = 3600

/**
 * What Dossier keeps in a browser, under the host of the proxy: a sealed access token, and a random value that marks the browser itself.
 *
 * Upstreams see the cookies of their host, so the token is sealed, for one application: at Dossier's APIs it is worth nothing, and at another
 * application's proxy neither. Attempts live in `state`, sealed for the browser, application and redirect URI: many tabs may sign in at once, and
 * a `state` that was begun elsewhere, or an answer to it, opens in no other browser (login CSRF).
 */
export function createForwardCookies({ sealer, now }: { sealer: Pick<Sealer, 'seal' | 'open'>; now: Clock }) {
  const nameOf = ({ callback }: Proxied, name: string) => `${callback.secure ? '__Host-' : ''}${name}`
  const set = (ctx: Context, proxied: Proxied, name: string, value: string, more = '') =>
    ctx.append(
      'Set-Cookie',
      `${nameOf(proxied, name)}=${value}; Path=/; HttpOnly; SameSite=Lax${proxied.callback.secure ? '; Secure' : ''}${more}`,
    )

  const ofSession = ({ view }: Proxied) => `forward-auth session\n${view.application.clientId}`
  const ofAttempt = ({ view, callback }: Proxied, browser: string) =>
    `forward-auth attempt\n${view.application.clientId}\n${callback.uri}\n${browser}`
  const browserOf = (ctx: Context, proxied: Proxied) => {
    const browser = ctx.cookies.get(nameOf(proxied, browserCookie))
    return browser && /^[\w-]{22}$/.test(browser) ? browser : undefined
  }

  /** What was sealed in `context`; forgeries and leftovers of a former secret are nothing. */
  function opened(sealed: string, context: string): string | undefined {
    try {
      return sealer.open(sealed, context)
    } catch {
      return undefined
    }
  }

  return {
    /** The access token of this browser. It says nothing of whether the token still holds. */
    token(ctx: Context, proxied: Proxied): string | undefined {
      const sealed = ctx.cookies.get(nameOf(proxied, sessionCookie))
      return sealed && opened(sealed, ofSession(proxied))
    },

    keep: (ctx: Context, proxied: Proxied, token: string) => set(ctx, proxied, sessionCookie, sealer.seal(token, ofSession(proxied))),
    forget: (ctx: Context, proxied: Proxied) => set(ctx, proxied, sessionCookie, '', '; Expires=Thu, 01 Jan 1970 00:00:00 GMT'),

    /** Begins to sign this browser in: the attempt, and the `state` that it comes back with. */
    begin(ctx: Context, proxied: Proxied, to: string): Attempt & { readonly state: string } {
      let browser = browserOf(ctx, proxied)
      if (!browser) {
        browser = randomBytes(16).toString('base64url')
        set(ctx, proxied, browserCookie, browser)
      }
      const verifier = newSecret()
      const until = epochSeconds(now()) + attemptSeconds
      return { to, verifier, state: sealer.seal(JSON.stringify({ to, verifier, until }), ofAttempt(proxied, browser)) }
    },

    /** The attempt that came back with `state`, if this browser has begun it. */
    attempt(ctx: Context, proxied: Proxied, state: string): Attempt | undefined {
      const browser = browserOf(ctx, proxied)
      const text = browser && opened(state, ofAttempt(proxied, browser))
      if (!text) return undefined
      const { until, ...attempt } = JSON.parse(text) as Attempt & { until: number }
      return until > epochSeconds(now()) ? attempt : undefined
    },
  }
}

const sessionCookie = 'dossier-forward'
const browserCookie = 'dossier-forward-browser'
