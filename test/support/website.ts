/** A website of somebody else's that signs people in at the provider, on a port of its own, and a person who visits it. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { Application } from '#src/domain/applications/application.ts'
import { Browser, type Page } from './browser.ts'
import { type Idp, password } from './idp.ts'
import { freePort } from './ports.ts'

export interface Website extends AsyncDisposable {
  readonly origin: string
  readonly application: Application
  visitor(): Visitor
}

/** Registers `web` for the website's addresses, with `changes`, and serves what `listenerOf` makes for its origin. */
export async function startWebsite(
  idp: Idp,
  listenerOf: (origin: string) => RequestListener,
  changes: Partial<Application> = {},
): Promise<Website> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const addresses = { redirectUris: [`${origin}/callback`], postLogoutRedirectUris: [origin] }
  const application = { ...idp.web, ...addresses, ...changes }
  await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
  const server = createServer(listenerOf(origin)).listen(port, 'localhost')
  await once(server, 'listening')
  return {
    origin,
    application,
    visitor: () => new Visitor(idp, origin),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Jane, who opens addresses and does what the pages of the provider ask for on the way: signs in, and confirms to sign out. */
class Visitor {
  readonly #idp: Idp
  readonly #origin: string
  readonly #browsers: Readonly<Record<string, Browser>>

  constructor(idp: Idp, origin: string) {
    this.#idp = idp
    this.#origin = origin
    this.#browsers = { [origin]: new Browser(origin), [idp.issuer]: new Browser(idp.issuer) }
  }

  /** Opens an address, of the website when it is a path, and answers the page at the end of all redirects. */
  async open(address: string): Promise<Page> {
    let url = new URL(address, this.#origin)
    for (let hops = 0; hops < 10; hops += 1) {
      const browser = this.#browsers[url.origin]
      if (!browser) throw new Error(`led away to ${url}`)
      const { origin } = url
      let page = await browser.open(url)
      if (page.text.includes('id="login-submit"')) {
        page = await browser.submit(page, '/login', { username: this.#idp.jane.username, password })
      }
      if (page.text.includes('id="logout-confirm"')) page = await browser.submit(page, '/confirm', { logout: 'yes' })
      if (page.url.origin === origin) return page
      url = page.url
    }
    throw new Error(`led round and round, the last to ${url}`)
  }
}
