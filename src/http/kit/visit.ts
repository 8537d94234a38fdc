import type { Context } from 'koa'
import { DomainError } from '#src/base/errors.ts'
import { randomText } from '#src/base/ids.ts'
import { allows } from '#src/domain/applications/ownRoles.ts'
import type { Actor } from '#src/domain/audit/events.ts'
import type { User } from '#src/domain/users/user.ts'
import type { Texts } from './messages.ts'
import type { PageSession } from './pageSessions.ts'
import type { Pages } from './pages.ts'
import { answerProblem } from './problems.ts'
import { problemText } from './problemText.ts'

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

/** An entry of the navigation. */
export interface Section {
  readonly path: string
  /** Pages that stand elsewhere begin with this, and belong to it. */
  readonly also?: string
  /** A key of texts. */
  readonly label: string
  readonly permission?: string | readonly string[]
}

/** What a visitor must be allowed, by ZITADEL's names; any of a list. Whether somebody with these roles is. */
export const mayAny = (held: readonly string[], permission: string | readonly string[] | undefined) =>
  permission === undefined || [permission].flat().some((each) => allows(held, each))

/** The frame of an area that its pages stand in. */
export interface Frame {
  readonly area: string
  /** Its address. */
  readonly base: string
  readonly pages: Pages
  readonly sections: readonly Section[]
  /** The value for the hidden field of every form. */
  readonly csrfOf: (ctx: Context, session: PageSession) => string
}

export function visitOf(
  { area, base, pages, sections, csrfOf }: Frame,
  ctx: Context,
  session: PageSession,
  held: readonly string[],
): Visit {
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
          sections: shown.map(({ path, also, label }) => ({
            href: base + path,
            label: t(label),
            isCurrent: isWithin(ctx.path, base + path, base) || (also !== undefined && isWithin(ctx.path, base + also, base)),
          })),
          visitorUsername: user.username,
          visitorName: user.profile.displayName ?? user.username,
          csrf: csrfOf(ctx, session),
          once: randomText(16),
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
    refuse: () => refuseVisit(ctx, pages, 'noPermission'),
  }
}

/** Answers that somebody's role does not go so far, or that they have none. */
export const refuseVisit = (ctx: Context, pages: Pages, sentence: 'noRole' | 'noPermission') =>
  answerProblem(ctx, pages, { status: 403, code: 'access_denied', title: 'notAllowed', sentence })

/** A parameter of the address; empty when it is not there, or there twice. */
export function queried(ctx: Context, name: string): string {
  const value = ctx.query[name]
  return typeof value === 'string' ? value : ''
}

/** Whether a page belongs to a section; the section at the area's own address is that page alone. */
const isWithin = (path: string, section: string, base: string) => path === section || (section !== base && path.startsWith(`${section}/`))
