/** Looks for what a text of somebody's has done to pages, with a browser's own parser. */

export interface Asked {
  readonly path: string
  /** Sent to it, with the hidden field of forms. */
  readonly form?: Readonly<Record<string, string>>
  /** Whether the payload is to be seen there as it is. */
  readonly isShown?: boolean
}

/** As much of a document as is looked at; types of browsers are not known here. */
interface ParsedElement {
  readonly localName: string
  readonly textContent: string | null
  readonly value?: string
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>
  getAttribute(name: string): string | null
}
interface ParsedPage {
  readonly documentElement: ParsedElement
  querySelectorAll(selector: string): Iterable<ParsedElement>
}

/** Runs in a page of ours, with `page.evaluate`: asks for others, and tells what is on them that none of ours has. Nothing of them runs. */
export async function lookThrough({
  requests,
  csrf,
  payload,
}: {
  readonly requests: readonly Asked[]
  readonly csrf: string
  readonly payload: string
}): Promise<readonly string[]> {
  // Of the browser, whose types are not known here.
  const { DOMParser } = globalThis as unknown as { DOMParser: new () => { parseFromString(text: string, type: string): ParsedPage } }
  const foreign =
    'iframe, object, embed, base, style, svg, math, video, audio, marquee, template, noscript, meta[http-equiv], body link, body meta'
  const found: string[] = []
  for (const { path, form, isShown } of requests) {
    const init = form ? { method: 'POST', body: new URLSearchParams({ ...form, csrf }) } : {}
    const reply = await fetch(path, { ...init, headers: { accept: 'text/html' } })
    const page = new DOMParser().parseFromString(await reply.text(), 'text/html')
    const say = (what: string) => found.push(`${form ? 'POST' : 'GET'} ${path} (${reply.status}): ${what}`)
    if (reply.status >= 500) say('failed')
    for (const script of page.querySelectorAll('script'))
      if (script.textContent?.trim() || !script.getAttribute('src')?.startsWith('/assets/')) say('a script')
    for (const each of page.querySelectorAll(foreign)) say(`<${each.localName}>`)
    for (const each of page.querySelectorAll('*')) {
      for (const { name, value } of each.attributes) {
        if (/^on|^style$|^srcdoc$|^formaction$/i.test(name)) say(`${name} of <${each.localName}>`)
        const isOurs = /^(?:\/(?!\/)|#|data:application\/octet-stream;base64,)/.test(value)
        if (/^(?:href|src|action)$/.test(name) && !isOurs) say(`${name}="${value}"`)
      }
    }
    const controls = [...page.querySelectorAll('input, textarea')].map((each) => each.value)
    const said = [page.documentElement.textContent, ...controls].join('\n').replaceAll('\\"', '"')
    if (isShown && !said.includes(payload)) say('the payload is not there as text')
  }
  return found
}
