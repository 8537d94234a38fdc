/** The redirect flow (contracts/app-services.md, section 4): a person goes to an identity provider and comes back to the application. */
import type { Context } from 'koa'
import type { AppView } from '#src/domain/apps/app.ts'
import { badRequest } from '#src/domain/apps/failures.ts'
import type { Begun, OAuth } from '#src/domain/apps/providers/oauth.ts'
import type { AppSession, Device } from '#src/domain/apps/sessions.ts'
import { readForm } from '../kit/body.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import { factsOf } from './caller.ts'
import { refusalOf } from './errors.ts'

export interface RedirectsNeeds {
  readonly issuer: string
  readonly oauth: Pick<OAuth, 'begin' | 'finish' | 'flowOf'>
  readonly appOf: (ctx: Context) => Promise<AppView>
  /** The session to which a login is to be linked, when the request asks for that. @throws AppRefused */
  readonly linkOf: (ctx: Context, view: AppView) => Promise<AppSession | undefined>
  readonly deviceOf: (options: unknown) => Partial<Device> | undefined
  readonly onFault: (error: unknown, ctx: Context) => void
}

/** Where a provider sends people back to. */
export const callbackPath = '/auth/callback'
const minutes = 10

function flowCookie(issuer: string) {
  const secure = issuer.startsWith('https:')
  return {
    name: (id: string) => `dossier-oauth-${id.slice(0, 16)}`,
    options: {
      httpOnly: true,
      secure,
      // A link begins with a call from the application's own site, and some providers answer with a form.
      sameSite: secure ? 'none' : 'lax',
      path: `/api/client/v2.0${callbackPath}`,
    },
  } as const
}

/** Lets this browser, and no other, come back from a provider. */
export function createKeepBegun(issuer: string): (ctx: Context, begun: Pick<Begun, 'id' | 'browserSecret'>) => void {
  const { name, options } = flowCookie(issuer)
  return (ctx, { id, browserSecret }) => void ctx.cookies.set(name(id), browserSecret, { ...options, maxAge: minutes * 60_000 })
}

/** The addresses of the redirect flow, relative to those of the client API. */
export function redirectEndpoints({ issuer, oauth, appOf, linkOf, deviceOf, onFault }: RedirectsNeeds): readonly Endpoint[] {
  const { name: cookieOf, options: cookie } = flowCookie(issuer)
  const keepBegun = createKeepBegun(issuer)

  async function begin(ctx: Context): Promise<void> {
    const view = await appOf(ctx)
    const { redirect, state, device } = ctx.query
    const linkTo = await linkOf(ctx, view)
    const told = deviceOf({ device: deviceIn(device) })
    const { type } = ctx.params as { type: string }
    const { address, id, browserSecret } = await oauth.begin(view, type, {
      redirect,
      state,
      ...(told && { device: told }),
      ...(linkTo && { linkTo }),
    })
    keepBegun(ctx, { id, browserSecret })
    ctx.set('Referrer-Policy', 'no-referrer')
    if (ctx.query.providerRedirectHeader === 'true') {
      ctx.set('X-Baas-Location', address)
      ctx.body = {}
    } else {
      ctx.set('Location', address)
      ctx.body = null
      ctx.status = 302
    }
  }

  async function end(ctx: Context): Promise<void> {
    const parameters = ctx.method === 'POST' ? new URLSearchParams([...(await readForm(ctx))]) : new URLSearchParams(ctx.querystring)
    const name = cookieOf(oauth.flowOf(parameters))
    const address = await oauth.finish(parameters, ctx.cookies.get(name), {
      facts: factsOf(ctx),
      asRefusal(error) {
        const refusal = refusalOf(error)
        if (!refusal) onFault(error, ctx)
        return refusal?.message ?? 'the fault is ours, and it has been logged'
      },
    })
    ctx.cookies.set(name, null, cookie)
    ctx.set('Referrer-Policy', 'no-referrer')
    ctx.set('Location', address)
    ctx.body = null
    ctx.status = 303
  }

  return [
    { method: 'GET', path: '/app/:app/auth/providers/:type/login', handle: begin },
    { method: 'GET', path: callbackPath, handle: end },
    { method: 'POST', path: callbackPath, handle: end },
  ]
}

/** `device`, which is JSON in base64. @throws AppRefused */
function deviceIn(text: unknown): unknown {
  if (text === undefined || text === '') return undefined
  try {
    if (typeof text === 'string' && text.length < 4096) return JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
  } catch {
    // Told below.
  }
  throw badRequest('device must be JSON in base64')
}
