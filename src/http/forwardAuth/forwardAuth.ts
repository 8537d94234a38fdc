/**
 * Forward-auth: a reverse proxy asks of every request whether somebody is signed in, and who (nginx `auth_request`, Traefik, Caddy).
 *
 * Owns the question, its headers, and the cookies under the proxy's own host, which come from a normal code flow of the application that the proxy
 * stands in front of. The engine issues and judges the token; nothing here is made from a request's Host.
 */
import type { Context } from 'koa'
import type { Clock } from '#src/base/clock.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Sealer } from '#src/domain/keys/seal.ts'
import type { ForwardAuth, SignedIn } from '#src/engine/forwardAuth.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import { setSecurityHeaders } from '../kit/headers.ts'
import type { Pages } from '../kit/pages.ts'
import { answerProblem, type Problem } from '../kit/problems.ts'
import { createForwardCookies } from './cookies.ts'
import { identityHeaders } from './identity.ts'
import { createFindProxied, ownPath, type Proxied } from './proxied.ts'

export interface ForwardAuthDeps {
  readonly forwardAuth: ForwardAuth
  readonly catalogue: Pick<Catalogue, 'find'>
  readonly sealer: Pick<Sealer, 'seal' | 'open'>
  readonly pages: Pages
  readonly now: Clock
}

export function forwardAuthEndpoints({ forwardAuth, catalogue, sealer, pages, now }: ForwardAuthDeps): readonly Endpoint[] {
  const findProxied = createFindProxied(catalogue)
  const cookies = createForwardCookies({ sealer, now })

  /** Runs `handle` for a request that a proxy of a known application passes on. */
  const proxied = (handle: (ctx: Context, proxied: Proxied) => Promise<void> | void) => async (ctx: Context) => {
    // How long to insist on https is for the proxy's host to say, whose browsers get this reply.
    ctx.remove('Strict-Transport-Security')
    ctx.set('Cache-Control', 'no-store')
    const found = await findProxied(ctx)
    if (found) return handle(ctx, found)
    answer(ctx, 403, 'unauthorized_client', unknownApplication)
  }

  const signedIn = async (ctx: Context, proxied: Proxied): Promise<SignedIn | undefined> => {
    const token = cookies.token(ctx, proxied)
    return token === undefined ? undefined : forwardAuth.find(proxied.view, token)
  }

  const check = proxied(async (ctx, proxied) => {
    const found = await signedIn(ctx, proxied)
    if (!found) return askToSignIn(ctx, proxied, ctx.get('X-Forwarded-Uri') || ctx.get('X-Original-URI'))
    ctx.status = 200
    ctx.body = ''
    for (const [name, value] of identityHeaders(proxied.view, found)) ctx.res.setHeader(name, value)
  })

  const signIn = proxied((ctx, proxied) => {
    const to = ownPath(ctx.query.to, proxied.callback)
    const { state, verifier } = cookies.begin(ctx, proxied, to)
    ctx.redirect(forwardAuth.signInAddress(proxied.view, { redirectUri: proxied.callback.uri, state, verifier }))
  })

  const callback = proxied(async (ctx, proxied) => {
    const { code, state, error } = ctx.query
    const attempt = typeof state === 'string' ? cookies.attempt(ctx, proxied, state) : undefined
    if (!attempt) return answerProblem(ctx, pages, begunElsewhere)
    if (error !== undefined) return answerProblem(ctx, pages, refused)
    const redirectUri = proxied.callback.uri
    const token = typeof code === 'string' && (await forwardAuth.exchange(proxied.view, { ...attempt, code, redirectUri }))
    if (!token) return answerProblem(ctx, pages, begunElsewhere)
    cookies.keep(ctx, proxied, token)
    ctx.redirect(proxied.callback.origin + attempt.to)
  })

  const signOut = proxied(async (ctx, proxied) => {
    const token = cookies.token(ctx, proxied)
    if (token !== undefined) await forwardAuth.end(proxied.view, token)
    cookies.forget(ctx, proxied)
    ctx.redirect(forwardAuth.signOutAddress(proxied.view, proxied.callback.origin))
  })

  return [
    { method: 'GET', path: '/forward-auth', handle: check },
    { method: 'GET', path: '/forward-auth/sign-in', handle: signIn },
    { method: 'GET', path: '/forward-auth/callback', handle: callback },
    { method: 'GET', path: '/forward-auth/sign-out', handle: signOut },
  ]
}

/** Says that nobody is signed in, and where to. With `redirect=true` a browser that opens a page is sent there. */
function askToSignIn(ctx: Context, { callback }: Proxied, original: string): void {
  const address = `${callback.origin}/.dossier/sign-in?to=${encodeURIComponent(ownPath(original, callback))}`
  ctx.set('X-Dossier-Sign-In', address)
  const reads = ['', 'GET', 'HEAD'].includes(ctx.get('X-Forwarded-Method'))
  if (ctx.query.redirect === 'true' && reads && ctx.accepts('json', 'html') === 'html') {
    ctx.redirect(address)
    return
  }
  ctx.set('Location', address)
  answer(ctx, 401, 'login_required', `nobody is signed in; a person signs in at ${address}`)
}

function answer(ctx: Context, status: number, error: string, description: string): void {
  setSecurityHeaders(ctx)
  ctx.status = status
  ctx.body = { error, error_description: description }
}

const unknownApplication =
  'the proxy must name an active application (client_id) that has forwardAuth, and a redirect URI with the path /.dossier/callback on the host that people see'

const begunElsewhere: Problem = {
  status: 400,
  code: 'session_not_found',
  sentence: 'signInUsed',
}

const refused: Problem = {
  status: 403,
  code: 'access_denied',
  title: 'notSignedIn',
  sentence: 'signInRefused',
}
