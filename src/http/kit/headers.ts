import type { Context, Middleware } from 'koa'

/**
 * What every page may do: load our own style sheets, scripts and pages, and an application's logo, and nothing else. There is no inline code to allow. There is no
 * `form-action` but where forms stay with us: browsers apply it to the redirect that follows a form, which may go to an application.
 */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: data:; base-uri 'none'; frame-ancestors 'none'"

const headers = Object.entries({
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
})

/** Makes the reply one that a browser neither frames, nor guesses the type of, nor runs anything in. */
export function setSecurityHeaders({ res }: Context): void {
  // One by one: replies over HTTP/2 cannot take several.
  for (const [name, value] of headers) res.setHeader(name, value)
}

/** Forms of this page lead to pages of ours, whatever becomes of its markup. */
export function keepForms({ res }: Context): void {
  res.setHeader('Content-Security-Policy', `${contentSecurityPolicy}; form-action 'self'`)
}

/** Security headers for every reply that is made further in. */
export function securityHeaders(): Middleware {
  return (ctx, next) => {
    setSecurityHeaders(ctx)
    return next()
  }
}

/** Tells browsers to come back by https only, for two years. */
export const strictTransportSecurity = ['Strict-Transport-Security', 'max-age=63072000; includeSubDomains'] as const

/** Sets `strictTransportSecurity` in every reply. */
export function strictTransport(): Middleware {
  return (ctx, next) => {
    ctx.set(...strictTransportSecurity)
    return next()
  }
}

/** Addresses whose answers do not depend on the Host: probes of an orchestrator know only an address, and so do proxies (forwardAuth). */
const answersAnywhere = /^\/(?:healthz|readyz|forward-auth(?:\/[a-z-]+)?)$/

/** Refuses a request that names another host than the issuer's. */
export function pinnedHost(issuer: string, trustedProxies: number, refuse: (ctx: Context) => Promise<void> | void): Middleware {
  const { host } = new URL(issuer)
  return (ctx, next) => {
    const named =
      (trustedProxies > 0 && ctx.get('X-Forwarded-Host').split(',').at(-1)?.trim()) ||
      ctx.req.headers.host ||
      (ctx.req.headers[':authority'] as string | undefined)
    if (named !== host && named?.toLowerCase() !== host && !answersAnywhere.test(ctx.path)) return refuse(ctx)
    return next()
  }
}
