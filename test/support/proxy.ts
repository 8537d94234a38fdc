/** The steps of a reverse proxy that asks `/forward-auth`: the requests that it sends to Dossier, and the browser on its other side. */
import type { Application } from '#src/domain/applications/application.ts'
import type { Browser } from './browser.ts'
import { type Idp, password } from './idp.ts'

type Headers = Readonly<Record<string, string>>

/** Makes the web application one that a proxy at `origin` stands in front of. */
export async function proxiedApplication(idp: Idp, origin: string, changes: Partial<Application> = {}): Promise<Application> {
  const application: Application = {
    ...idp.web,
    redirectUris: ['http://localhost:3000/callback', `${origin}/.dossier/callback`],
    postLogoutRedirectUris: ['http://localhost:3000/', `${origin}/goodbye`],
    forwardAuth: { metadata: ['ContractNumber'] },
    ...changes,
  }
  await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
  return application
}

/** A proxy at `origin` and one browser that goes through it. It passes cookies on, and nothing is its own but what Dossier tells it. */
export class ReverseProxy {
  readonly #idp: Idp
  readonly #clientId: string
  readonly #cookies = new Map<string, string>()
  readonly origin: string

  constructor(idp: Idp, application: Application, origin: string) {
    this.#idp = idp
    this.#clientId = application.clientId
    this.origin = origin
  }

  /** The question of every request. */
  check(headers: Headers = {}, query: Headers = {}): Promise<Response> {
    return this.ask('/forward-auth', { client_id: this.#clientId, ...query }, headers)
  }

  /** Opens an address under `/.dossier/` of the proxy, which passes it on. */
  open(address: string | URL, headers: Headers = {}): Promise<Response> {
    const { origin, pathname, searchParams } = new URL(address, this.origin)
    if (origin !== this.origin || !pathname.startsWith('/.dossier/')) throw new Error(`${address} is not passed on to Dossier`)
    const path = pathname.replace('/.dossier/', '/forward-auth/')
    return this.ask(path, Object.fromEntries(searchParams), { 'x-dossier-client': this.#clientId, accept: 'text/html', ...headers })
  }

  /** Begins to sign in and goes through the pages of the provider: the address that the browser is sent back to. */
  async signInAtProvider(username: string, browser: Browser = this.#idp.browser(), to = '/'): Promise<URL> {
    const begun = await this.open(`/.dossier/sign-in?to=${encodeURIComponent(to)}`)
    let page = await browser.open(begun.headers.get('location') ?? '')
    if (page.text.includes('id="login-submit"')) page = await browser.submit(page, '/login', { username, password })
    if (page.text.includes('id="consent-allow"')) page = await browser.submit(page, '/consent')
    return page.url
  }

  /** Signs in: the answer that the browser gets when it comes back. */
  async signIn(username: string, browser?: Browser, to?: string): Promise<Response> {
    return this.open(await this.signInAtProvider(username, browser, to))
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies
  }

  async ask(path: string, query: Headers, headers: Headers): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(this.#idp.url(`${path}?${new URLSearchParams(query)}`), {
      redirect: 'manual',
      headers: { cookie, 'x-forwarded-host': new URL(this.origin).host, ...headers },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return response
  }
}
