/**
 * An area of our own pages: everything below one address, for people who are signed in to it. It signs them in as any application would (code and PKCE), lets nobody see or send what they
 * may not, asks again who they are before what is dangerous, and takes no form that it did not make for them.
 *
 * A page is data: the router, the navigation and the tests read the same object.
 */
import type { Context } from 'koa'
import type { Clock } from '#src/base/clock.ts'
import { DomainError } from '#src/base/errors.ts'
import { callbackOf, clientIdOf, type PageArea } from '#src/domain/applications/builtIn.ts'
import { allows } from '#src/domain/applications/ownRoles.ts'
import type { Actor } from '#src/domain/audit/events.ts'
import type { User } from '#src/domain/users/user.ts'
import type { RequestState } from './context.ts'
import type { Csrf } from './csrf.ts'
import type { Endpoint } from './endpoint.ts'
import type { Texts } from './messages.ts'
import type { PageSession, PageSessions } from './pageSessions.ts'
import type { Pages } from './pages.ts'
import { answerProblem } from './problems.ts'
import { problemText } from './problemText.ts'
import { readSentForm, type SentForm } from './sentForm.ts'

/** One request of somebody who is signed in and may make it. */
export interface Visit {
  readonly ctx: Context
  readonly session: PageSession
  readonly user: User
  /** The visitor as the author of a change. */
  readonly actor: Actor
  /** Roles of Dossier's own project. */
  readonly held: readonly string[]
  may(permission: string): boolean
  readonly texts: Texts
  readonly params: Readonly<Record<string, string>>
  /** A parameter of the address; empty when it is not there, or there twice. */
  query(name: string): string
  /** Shows a template of `views/` in the area's frame. */
  show(template: string, data?: Readonly<Record<string, unknown>>, status?: number): Promise<void>
  /** Sends the browser on, to an address within the area; `done` is a key in `done.json`, whose text is shown there. */
  go(path: string, done?: string): void
  /**
   * What a person is told of an error, in their language. What is no error of the domain is nobody's mistake, and is thrown on.
   */
  problemOf(error: unknown): string
  /** Answers that there is nothing here. */
  missing(): Promise<void>
  /** Answers that the visitor's role does not go so far. */
  refuse(): Promise<void>
}

export interface AreaPage {
  readonly method: 'GET' | 'POST'
  /** Below the area's own address; the empty path is that address. It may have `:name` segments. */
  readonly path: string
  /** What the visitor must be allowed, by ZITADEL's names; any of a list. */
  readonly permission?: string | readonly string[]
  /** The visitor must have proved who they are within the last minutes. A form of this kind has a page at the same path, to which they come back. */
  readonly isDangerous?: boolean
  /** How large a form may be. */
  readonly limitBytes?: number
  handle(visit: Visit, form: SentForm): Promise<void> | void
}

/** An entry of the navigation. */
export interface Section {
  readonly path: string
  /** A key of texts. */
  readonly label: string
  readonly permission?: string | readonly string[]
}

export interface AreaKit {
  readonly issuer: string
  readonly pages: Pages
  readonly csrf: Csrf
  readonly heldBy: (user: User) => readonly string[]
  readonly now: Clock
  readonly login: {
    begin(wish: {
      readonly clientId: string
      readonly redirectUri: string
      readonly scope: string
      readonly maxAgeSeconds: number
      readonly prompt?: 'login'
      readonly uiLocales?: string
      readonly loginHint?: string
    }): Promise<{
      readonly address: string
      readonly attempt: { readonly state: string; readonly nonce: string; readonly verifier: string }
    }>
    finish(
      clientId: string,
      callback: URL,
      attempt: { readonly state: string; readonly nonce: string; readonly verifier: string },
    ): Promise<{ readonly accessToken: string; readonly provedAt: Date }>
  }
}

export interface AreaOptions {
  readonly area: PageArea
  readonly sessions: PageSessions
  readonly scope: string
  /** Whoever proved who they are longer ago does it again when a session begins. */
  readonly maxAgeSeconds: number
  readonly sections: readonly Section[]
  /** Who may be here at all. */
  readonly admits?: (held: readonly string[]) => boolean
  readonly pages: readonly AreaPage[]
}

/** How long a proof is good for what is dangerous. */
const freshSeconds = 300

const noForm: SentForm = { raw: () => '', text: () => '', has: () => false, all: () => [], file: () => undefined }

/** The addresses of an area. @throws TypeError when a dangerous form has no page to come back to */
export function areaEndpoints(
  { issuer, pages, csrf, heldBy, now, login }: AreaKit,
  { area, sessions, scope, maxAgeSeconds, sections, admits = () => true, pages: routes }: AreaOptions,
): readonly Endpoint[] {
  const base = `/${area}`
  const clientId = clientIdOf(area)
  const redirectUri = callbackOf(area, issuer)
  const purposeOf = (session: PageSession) => `${area}:${session.id}`

  async function signIn(ctx: Context, returnTo: string, again?: PageSession): Promise<void> {
    const { uiLocales = again?.uiLocales ?? queried(ctx, 'ui_locales') } = ctx.state as RequestState
    const wish = { clientId, redirectUri, scope, maxAgeSeconds, ...(uiLocales && { uiLocales }) }
    const { address, attempt } = await login.begin({ ...wish, ...(again && { prompt: 'login', loginHint: again.user.username }) })
    sessions.await(ctx, { ...attempt, returnTo, ...(uiLocales && { uiLocales }) })
    ctx.status = 303
    ctx.redirect(address)
  }

  async function comeBack(ctx: Context): Promise<void> {
    const pending = sessions.take(ctx, queried(ctx, 'state'))
    if (!pending) return answerProblem(ctx, pages, { status: 400, code: 'session_not_found', sentence: 'signInGone' })
    const { accessToken, provedAt } = await login.finish(clientId, new URL(ctx.url, issuer), pending)
    sessions.begin(ctx, { token: accessToken, provedAt, ...(pending.uiLocales && { uiLocales: pending.uiLocales }) })
    ctx.status = 303
    ctx.redirect(pending.returnTo)
  }

  const refuse = (ctx: Context, sentence: 'noRole' | 'noPermission') =>
    answerProblem(ctx, pages, { status: 403, code: 'access_denied', title: 'notAllowed', sentence })

  const mayAny = (held: readonly string[], permission: string | readonly string[] | undefined) =>
    permission === undefined || [permission].flat().some((each) => allows(held, each))

  function visitOf(ctx: Context, session: PageSession, held: readonly string[]): Visit {
    const { user } = session
    const texts = pages.textsFor(ctx)
    const { t, has } = texts
    const may = (permission: string) => allows(held, permission)
    return {
      ctx,
      session,
      user,
      actor: { kind: 'user', id: user.id },
      held,
      may,
      texts,
      params: ctx.params ?? {},
      query: (name) => queried(ctx, name),
      show(template, data = {}, status = 200) {
        const done = `done.${queried(ctx, 'done')}`
        const shown = sections.filter(({ permission }) => mayAny(held, permission))
        return pages.show(
          ctx,
          template,
          {
            ...(has(done) && { done: t(done) }),
            ...data,
            may,
            area: { name: area, path: base },
            sections: shown.map(({ path, label }) => ({
              href: base + path,
              label: t(label),
              isCurrent: isWithin(ctx.path, base + path, base),
            })),
            visitorUsername: user.username,
            visitorName: user.profile.displayName ?? user.username,
            csrf: csrf.token(ctx, purposeOf(session)),
          },
          status,
        )
      },
      go(path, done) {
        ctx.status = 303
        ctx.redirect(base + path + (done === undefined ? '' : `${path.includes('?') ? '&' : '?'}done=${done}`))
      },
      problemOf(error) {
        if (!(error instanceof DomainError)) throw error
        return problemText(texts, error)
      },
      missing: () => answerProblem(ctx, pages, { status: 404, code: 'not_found', title: 'notFound', sentence: 'notFound' }),
      refuse: () => refuse(ctx, 'noPermission'),
    }
  }

  const isFresh = ({ provedAt }: PageSession) => provedAt.getTime() + freshSeconds * 1000 > now().getTime()

  const endpointOf = ({ method, path, permission, isDangerous = false, limitBytes, handle }: AreaPage): Endpoint => ({
    method,
    path: base + path,
    async handle(ctx) {
      ctx.set('Cache-Control', 'no-store')
      const session = await sessions.find(ctx)
      if (session?.uiLocales !== undefined) (ctx.state as RequestState).uiLocales = session.uiLocales
      if (!session) {
        if (method === 'GET') return signIn(ctx, ctx.url)
        return answerProblem(ctx, pages, { status: 401, code: 'login_required', title: 'notSignedIn', sentence: 'pageSessionOver' })
      }
      const held = heldBy(session.user)
      if (!admits(held)) return refuse(ctx, 'noRole')
      if (!mayAny(held, permission)) return refuse(ctx, 'noPermission')
      const visit = visitOf(ctx, session, held)
      if (method === 'GET') return isDangerous && !isFresh(session) ? signIn(ctx, ctx.url, session) : handle(visit, noForm)
      const form = await readSentForm(ctx, limitBytes)
      if (!csrf.accepts(ctx, purposeOf(session), form.raw('csrf')))
        return answerProblem(ctx, pages, { status: 403, code: 'form_not_accepted', sentence: 'formNotAccepted' })
      return isDangerous && !isFresh(session) ? signIn(ctx, ctx.url, session) : handle(visit, form)
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
    handle({ ctx }) {
      sessions.end(ctx)
      const query = new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: `${issuer}/` })
      ctx.status = 303
      ctx.redirect(`/oidc/v1/end_session?${query}`)
    },
  }
  return [...routes.map(endpointOf), endpointOf(signOut), { method: 'GET', path: `${base}/callback`, handle: comeBack }]
}

function queried(ctx: Context, name: string): string {
  const value = ctx.query[name]
  return typeof value === 'string' ? value : ''
}

/** Whether a page belongs to a section; the section at the area's own address is that page alone. */
const isWithin = (path: string, section: string, base: string) => path === section || (section !== base && path.startsWith(`${section}/`))
