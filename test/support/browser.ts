/** What a browser without JavaScript does: keeps cookies by path, follows redirects within the provider, sends forms as they stand in the page. */
export interface Page {
  readonly status: number
  readonly url: URL
  readonly text: string
  readonly headers: Headers
}

interface Cookie {
  readonly value: string
  readonly path: string
}

export class Browser {
  readonly #issuer: string
  readonly #cookies = new Map<string, Cookie>()

  constructor(issuer: string) {
    this.#issuer = issuer
  }

  /** Opens an address, following redirects until a page, or until one leads away from the provider: `url` is then where it leads. */
  async open(address: string | URL, form?: Readonly<Record<string, string>>): Promise<Page> {
    let url = new URL(address, this.#issuer)
    let body = form && new URLSearchParams(form)
    for (let hops = 0; hops < 15; hops += 1) {
      const response = await fetch(url, {
        method: body ? 'POST' : 'GET',
        body,
        redirect: 'manual',
        headers: { accept: 'text/html', cookie: this.cookieHeader(url.pathname) },
      })
      this.#keep(response.headers)
      const location = response.headers.get('location')
      if (response.status < 300 || response.status > 399 || !location) {
        return { status: response.status, url, text: await response.text(), headers: response.headers }
      }
      await response.body?.cancel()
      url = new URL(location, url)
      body = undefined
      if (url.origin !== this.#issuer) return { status: response.status, url, text: '', headers: response.headers }
    }
    throw new Error(`too many redirects, the last to ${url}`)
  }

  /** Presses a button of a page: the first whose form posts to an address that ends in `suffix`, with its hidden fields and `fields`. */
  async submit(page: Page, suffix: string, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    for (const [, attributes = '', content = ''] of page.text.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)) {
      const action = /action="([^"]*)"/.exec(attributes)?.[1]
      if (!action?.endsWith(suffix)) continue
      const hidden = [...content.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ])
      return this.open(new URL(action, page.url), { ...Object.fromEntries(hidden), ...fields })
    }
    throw new Error(`no form to ${suffix} on ${page.url}:\n${page.text}`)
  }

  /** The cookies that would be sent to `path`. */
  cookieHeader(path = '/'): string {
    return [...this.#cookies]
      .filter(([, cookie]) => path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`))
      .map(([key, cookie]) => `${key.split(' ')[0]}=${cookie.value}`)
      .join('; ')
  }

  #keep(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const equals = pair.indexOf('=')
      const path = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? '/'
      const key = `${pair.slice(0, equals)} ${path}`
      const expired = attributes.some((each) => /^expires=Thu, 01 Jan 1970/i.test(each))
      if (expired) this.#cookies.delete(key)
      else this.#cookies.set(key, { value: pair.slice(equals + 1), path })
    }
  }
}
