/**
 * The quick ways beside the engine: what nearly all requests at the token and introspection endpoints are, answered from one read of the store and
 * one write.
 *
 * Owns no rule of its own: it answers successes only, with what the engine would answer and store, and leaves everything that is unusual or wrong to
 * the engine, which takes several times as long and knows what to say. Tests hold the two against each other.
 */
import type { Context } from 'koa'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { errors } from '../internals.ts'
import type { Introspect } from '../introspection.ts'
import { authenticated } from './client.ts'
import { type Form, readForm } from './form.ts'
import { createGrants, type GrantsDeps } from './grants.ts'
import { hasOnly } from './source.ts'

export interface QuickDeps extends GrantsDeps {
  readonly catalogue: Catalogue
  readonly introspect: Introspect
}

type Next = () => Promise<unknown>

const introspectionFields = new Set(['token', 'token_type_hint', 'client_id', 'client_secret'])

export function createQuick(deps: QuickDeps) {
  const { catalogue, introspect } = deps
  const grants = createGrants(deps)

  async function token(ctx: Context, form: Form): Promise<boolean> {
    const name = form.grant_type
    const grant = name !== undefined && Object.hasOwn(grants, name) ? grants[name] : undefined
    const view = grant && (await authenticated(ctx, form, catalogue))
    const answer = view && (await grant?.(view, form))
    if (!answer) return false
    if ('error' in answer) reply(ctx, 400, JSON.stringify(answer))
    else reply(ctx, 200, JSON.stringify(answer))
    return true
  }

  async function introspection(ctx: Context, form: Form): Promise<boolean> {
    if (!form.token || form.token_type_hint === 'refresh_token' || !hasOnly(form, introspectionFields)) return false
    // A signed answer (RFC 9701) is the engine's.
    if (ctx.req.headers.accept?.includes('token-introspection+jwt')) return false
    const view = await authenticated(ctx, form, catalogue)
    // A public client proves nothing, and the engine says so.
    if (!view || view.application.authMethod === 'none') return false
    const answer = await introspect(form.token, view.application.clientId)
    if (answer !== undefined) reply(ctx, 200, answer)
    return answer !== undefined
  }

  const ways = new Map([
    ['/oauth/v2/token', token],
    ['/oauth/v2/introspect', introspection],
  ])

  async function go(way: typeof token, ctx: Context, next: Next): Promise<unknown> {
    const form = await readForm(ctx)
    try {
      return form && (await way(ctx, form)) ? undefined : next()
    } catch (error) {
      // A target of the operator's has interrupted: to ask the engine would call it once more.
      if (!(error instanceof errors.AccessDenied)) throw error
      reply(ctx, 400, JSON.stringify({ error: error.error, error_description: error.error_description }))
      return undefined
    }
  }

  return function quick(ctx: Context, next: Next): Promise<unknown> {
    const way = ctx.req.method === 'POST' ? ways.get(ctx.path) : undefined
    return way ? go(way, ctx, next) : next()
  }
}

function reply(ctx: Context, status: number, body: string): void {
  ctx.status = status
  ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8')
  ctx.res.setHeader('Cache-Control', 'no-store')
  ctx.res.setHeader('X-Content-Type-Options', 'nosniff')
  ctx.body = body
}
