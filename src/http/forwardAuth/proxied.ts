import type { Context } from 'koa'
import type { Application } from '#src/domain/applications/application.ts'
import type { ApplicationView, Catalogue } from '#src/domain/applications/catalogue.ts'
import { isUsualClient } from '#src/domain/applications/protocol.ts'

/** Where a proxy takes the code flow of its application back, registered as one of the redirect URIs: it tells the proxy's own address too. */
interface Callback {
  readonly uri: string
  readonly origin: string
  readonly host: string
  readonly secure: boolean
}

/** An application that a proxy stands in front of, and the address that people know it by. */
export interface Proxied {
  readonly view: ApplicationView
  readonly callback: Callback
}

/**
 * Finds what a request of a proxy is for. The proxy names the application in a header or in the query, whichever of the two it can fix; the other
 * one comes from the person's request, and must not choose who judges it. Forwarded headers do no more than choose among the registered redirect
 * URIs, so whoever invents them gains nothing.
 */
export function createFindProxied(catalogue: Pick<Catalogue, 'find'>) {
  return async function findProxied(ctx: Context): Promise<Proxied | undefined> {
    const [inHeader, inQuery] = [ctx.get('X-Dossier-Client'), ctx.query.client_id]
    const clientId = inHeader === '' || inQuery === undefined || inQuery === inHeader ? inHeader || inQuery : undefined
    const view = typeof clientId === 'string' ? await catalogue.find(clientId) : undefined
    if (!view?.application.active || !view.application.forwardAuth || !isUsualClient(view.application)) return undefined
    const callback = callbackFor(ctx, callbacksOf(view.application))
    return callback && { view, callback }
  }
}

function callbackFor(ctx: Context, callbacks: readonly Callback[]): Callback | undefined {
  if (callbacks.length === 1) return callbacks[0]
  const host = ctx.get('X-Forwarded-Host').toLowerCase()
  const origin = `${ctx.get('X-Forwarded-Proto')}://${host}`
  return callbacks.find((each) => each.origin === origin) ?? callbacks.find((each) => each.host === host)
}

const known = new WeakMap<Application, readonly Callback[]>()

/** They are taken apart once for as long as the catalogue stands: every proxied request asks for them. */
function callbacksOf(application: Application): readonly Callback[] {
  let callbacks = known.get(application)
  if (!callbacks) {
    callbacks = application.redirectUris.flatMap((uri) => {
      const url = URL.parse(uri)
      if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/.dossier/callback' || url.search !== '') return []
      return [{ uri, origin: url.origin, host: url.host, secure: url.protocol === 'https:' }]
    })
    known.set(application, callbacks)
  }
  return callbacks
}

/** A path of this host that people may be sent to, in the form in which a browser reads it; `/` instead of any other text. */
export function ownPath(text: unknown, { origin }: Callback): string {
  if (typeof text !== 'string' || text.length > longestPath || !/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(text)) return '/'
  const url = new URL(text, origin)
  // Our own addresses would go round in circles, or sign out.
  if (url.origin !== origin || url.pathname.startsWith('//') || url.pathname.startsWith('/.dossier/')) return '/'
  return url.pathname + url.search
}

/** It travels through the addresses of a sign-in, and servers take no address of any length. */
const longestPath = 2048
