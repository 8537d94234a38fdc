/**
 * An area of our own pages: everything below one address, for people who are signed in to it. It signs them in as any application would (code and PKCE), lets nobody see or send what they
 * may not, asks again who they are before what is dangerous, and takes no form that it did not make for them.
 *
 * A page is data: the router, the navigation and the tests read the same object.
 */
import type { Context } from 'koa'
import type { Clock } from '#src/base/clock.ts'
import { DomainError } from '#src/base/errors.ts'
import type { OwnPages } from '#src/connectors/ownPages.ts'
import { callbackOf, clientIdOf, type PageArea } from '#src/domain/applications/builtIn.ts'
import type { User } from '#src/domain/users/user.ts'
import type { RequestState } from './context.ts'
import type { Csrf } from './csrf.ts'
import type { Endpoint } from './endpoint.ts'
import { keepForms } from './headers.ts'
import type { Once } from './once.ts'
import type { PageSession, PageSessions } from './pageSessions.ts'
import type { Pages } from './pages.ts'
import { answerProblem, problemOf } from './problems.ts'
import { readSentForm, type SentForm } from './sentForm.ts'
import { type Frame, mayAny, queried, refuseVisit, type Section, type Visit, visitOf } from './visit.ts'

export type { Section, Visit } from './visit.ts'

export interface AreaPage {
  readonly method: 'GET' | 'POST'
  /** Below the area's own address; the empty path is that address. It may have `:name` segments. */
  readonly path: string
  /** What the visitor must be allowed, by ZITADEL's names; any of a list. */
  readonly permission?: string | readonly string[]
  /** The visitor must have proved who they are within the last five minutes. A form of this kind has a page at the same path, to which they come back. */
  readonly isDangerous?: boolean
  /** Filling the form in takes time, and what was typed should not be lost: the proof may be a quarter of an hour old. */
  readonly isLong?: boolean
  /** How large a form may be. */
  readonly limitBytes?: number
  handle(visit: Visit, form: SentForm): Promise<void> | void
}

export interface AreaKit {
  readonly issuer: string
  readonly pages: Pages
  readonly csrf: Csrf
  readonly heldBy: (user: User) => readonly string[]
  readonly now: Clock
  readonly login: OwnPages
  readonly once: Once
}

export interface AreaOptions {
  readonly area: PageArea
  readonly sessions: PageSessions
  readonly scope: string
  /** Whoever proved who they are longer ago does it again when a session begins. */
  readonly maxAgeSeconds: number
  readonly sections: readonly Section[]
  /** Its forms may lead to an application. Browsers are told of those that never do. */
  readonly formsLeave?: boolean
  /** Who may be here at all. */
  readonly admits?: (held: readonly string[]) => boolean
  readonly pages: readonly AreaPage[]
}

/** How long a proof is good for what is dangerous, and for a form that takes time. */
const freshSeconds = 300
const longSeconds = 900

const noForm: SentForm = { raw: () => '', text: () => '', has: () => false, all: () => [], file: () => undefined }

/** The addresses of an area. @throws TypeError when a dangerous form has no page to come back to */
export function areaEndpoints(
  { issuer, pages, csrf, once, heldBy, now, login }: AreaKit,
  { area, sessions, scope, maxAgeSeconds, sections, formsLeave = false, admits = () => true, pages: routes }: AreaOptions,
): readonly Endpoint[] {
  const base = `/${area}`
  const clientId = clientIdOf(area)
  const redirectUri = callbackOf(area, issuer)
  const purposeOf = (session: PageSession) => `${area}:${session.id}`

  async function signIn(ctx: Context, returnTo: string, again?: PageSession): Promise<void> {
    const { uiLocales = again?.uiLocales ?? queried(ctx, 'ui_locales') } = ctx.state as RequestState
    const wish = { clientId, redirectUri, scope, maxAgeSeconds, ...(uiLocales && { uiLocales }) }
    const { address, attempt } = await login.begin({ ...wish, ...(again && { prompt: 'login', loginHint: again.user.username }) })
    sessions.await(ctx, { ...attempt, returnTo: kept(returnTo, base), ...(uiLocales && { uiLocales }) })
    ctx.status = 303
    ctx.redirect(address)
  }

  async function comeBack(ctx: Context): Promise<void> {
    const pending = sessions.take(ctx, queried(ctx, 'state'))
    if (!pending) return answerProblem(ctx, pages, { status: 400, code: 'session_not_found', sentence: 'signInGone', again: base })
    const { uiLocales, returnTo } = pending
    try {
      const loggedIn = await login.finish(clientId, new URL(here(ctx), issuer), pending)
      sessions.begin(ctx, { ...loggedIn, ...(uiLocales && { uiLocales }) })
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      return answerProblem(ctx, pages, { ...problemOf(error), again: base })
    }
    ctx.status = 303
    ctx.redirect(returnTo)
  }

  const frame: Frame = { area, base, pages, sections, csrfOf: (ctx, session) => csrf.token(ctx, purposeOf(session)) }

  const isFresh = ({ provedAt }: PageSession, seconds: number) => provedAt.getTime() + seconds * 1000 > now().getTime()

  const endpointOf = ({ method, path, permission, isDangerous = false, isLong = false, limitBytes, handle }: AreaPage): Endpoint => ({
    method,
    path: base + path,
    async handle(ctx) {
      ctx.set('Cache-Control', 'no-store')
      if (!formsLeave) keepForms(ctx)
      const session = await sessions.find(ctx)
      if (session?.uiLocales !== undefined) (ctx.state as RequestState).uiLocales = session.uiLocales
      if (!session) {
        if (method === 'GET') return signIn(ctx, here(ctx))
        return answerProblem(ctx, pages, {
          status: 401,
          code: 'login_required',
          title: 'notSignedIn',
          sentence: 'pageSessionOver',
          again: base,
        })
      }
      const held = heldBy(session.user)
      if (!admits(held)) return refuseVisit(ctx, pages, 'noRole')
      if (!mayAny(held, permission)) return refuseVisit(ctx, pages, 'noPermission')
      const visit = visitOf(frame, ctx, session, held)
      const isStale = isDangerous && !isFresh(session, isLong ? longSeconds : freshSeconds)
      if (method === 'GET') return isStale ? signIn(ctx, here(ctx), session) : handle(visit, noForm)
      const form = await readSentForm(ctx, limitBytes)
      if (!csrf.accepts(ctx, purposeOf(session), form.raw('csrf')))
        return answerProblem(ctx, pages, { status: 403, code: 'form_not_accepted', sentence: 'formNotAccepted' })
      if (isStale) return signIn(ctx, here(ctx), session)
      if (!form.has('once')) return handle(visit, form)
      const work = async () => {
        await handle(visit, form)
        return ctx.status < 400
      }
      if (!(await once.run(`${session.id}.${form.raw('once').slice(0, 100)}`, work)))
        return answerProblem(ctx, pages, { status: 409, code: 'done_already', title: 'doneAlready', sentence: 'doneAlready', again: base })
    },
  })

  const homeless = routes.find(
    ({ method, path, isDangerous }) =>
      isDangerous && method === 'POST' && !routes.some((each) => each.method === 'GET' && each.path === path && each.isDangerous),
  )
  if (homeless) throw new TypeError(`the dangerous form ${base}${homeless.path} has no page to come back to`)

  const signOut: AreaPage = {
    method: 'POST',
    path: '/sign-out',
    async handle({ ctx, session }) {
      await login.revoke(clientId, session.accessToken)
      sessions.end(ctx)
      const query = new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: `${issuer}/` })
      ctx.status = 303
      ctx.redirect(`/oidc/v1/end_session?${query}`)
    },
  }
  return [...routes.map(endpointOf), endpointOf(signOut), { method: 'GET', path: `${base}/callback`, handle: comeBack }]
}

/** Longer addresses make a cookie that browsers do not take. */
const mostReturnCharacters = 800

/** Where a login leads back to: an address that is too long to be kept loses its query, or all but the area. */
function kept(address: string, base: string): string {
  const path = address.split('?')[0] ?? base
  return [address, path].find(({ length }) => length <= mostReturnCharacters) ?? base
}

/** Where somebody is, without a host: whoever sends a request could name any. */
const here = ({ path, search }: Context) => path + search
