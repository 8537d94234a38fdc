/** Every address of our own pages, as the router has it: closed to strangers and to people without a role, deaf to forms of others, and no payload gets out of the text that it is. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventTypes } from '#src/domain/audit/eventTypes.ts'
import type { Browser } from '../support/browser.ts'
import { type FilledIdp, fill } from '../support/everyPage.ts'
import { type Idp, password, person, startIdp } from '../support/idp.ts'

let idp: Idp
let filled: FilledIdp
beforeAll(async () => {
  idp = await startIdp()
  filled = await fill(idp)
})
afterAll(() => idp[Symbol.asyncDispose]())

const pathOf = (route: string) =>
  filled.pages.find((page) => page.route === route)?.path ??
  // Of a form: with the ids of the page whose address begins alike.
  route.replace(/:(\w+)/g, (_, name: string) => idOf(route, name))

function idOf(route: string, name: string): string {
  const alike = filled.pages.find((page) => page.route.startsWith(route.slice(0, route.indexOf(`:${name}`) + name.length + 1)))
  const at = alike?.route.split('/').indexOf(`:${name}`) ?? -1
  return alike?.path.split('?')[0]?.split('/')[at] ?? 'none'
}

const areaOf = (route: string) => route.split('/')[1] ?? ''

/** A browser that is signed in to the areas. */
async function signedIn(username: string, areas: readonly string[] = ['console', 'account', 'playground']): Promise<Browser> {
  const browser = idp.browser()
  for (const area of areas) {
    const page = await browser.open(`/${area}`)
    if (page.text.includes('id="login-submit"')) await browser.submit(page, '/login', { username, password })
  }
  return browser
}

const send = (path: string, method: string, cookie = '', body?: string) =>
  fetch(idp.url(path), {
    method,
    redirect: 'manual',
    headers: { accept: 'text/html', cookie, ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }) },
    ...(body !== undefined && { body }),
  })

const isFree = ({ path }: { readonly path: string }) => path.endsWith('/callback') || path === '/playground/answer'

test('a stranger is sent to sign in, and no form of theirs is taken', async () => {
  expect(idp.pages.length).toBeGreaterThan(80)
  for (const page of idp.pages.filter((each) => !isFree(each))) {
    const reply = await send(pathOf(page.path), page.method, '', page.method === 'POST' ? 'csrf=x' : undefined)
    const place = `${page.method} ${page.path}`
    if (page.method === 'GET')
      expect([reply.status, reply.headers.get('location') ?? ''], place).toEqual([303, expect.stringContaining('/oauth/v2/authorize?')])
    else expect(reply.status, place).toBe(401)
  }
})

test('somebody without a role sees and sends nothing in the console', async () => {
  const nobody = await idp.domain.users.create(person({ username: 'nobody', metadata: [] }), { kind: 'system' })
  const browser = await signedIn(nobody.username, ['account', 'console'])
  const cookie = browser.cookieHeader()
  for (const page of idp.pages.filter(({ path }) => areaOf(path) === 'console' && !path.endsWith('/callback'))) {
    const reply = await send(pathOf(page.path), page.method, cookie, page.method === 'POST' ? 'csrf=x' : undefined)
    const text = await reply.text()
    expect(reply.status, `${page.method} ${page.path}`).toBe(403)
    expect(text, page.path).toContain('id="error-code">access_denied')
    expect(text.includes('Ada Admin') || text.includes('ContractNumber') || text.includes(idp.jane.username), page.path).toBe(false)
  }
})

test('a form that was not made for this browser changes nothing, whoever sends it', async () => {
  const browser = await signedIn(filled.admin.username)
  const { audit } = idp.domain.stores
  const { cursor } = await audit.since(undefined, [], 1)
  for (const page of idp.pages.filter(({ method, path }) => method === 'POST' && !isFree({ path }))) {
    for (const body of ['', 'csrf=', `csrf=${'A'.repeat(43)}`, 'typed=x&name=x']) {
      const reply = await send(pathOf(page.path), 'POST', browser.cookieHeader(), body)
      expect(reply.status, `${page.path} with ${body}`).toBe(403)
      expect(await reply.text(), page.path).toContain('form_not_accepted')
    }
  }
  const changes = eventTypes.filter((type) => !type.startsWith('token.'))
  expect((await audit.since(cursor, changes, 10)).events).toEqual([])
})

test('no page may be framed, kept, or run what is not ours', async () => {
  const browser = await signedIn(filled.admin.username)
  for (const { path } of filled.pages) {
    const { headers } = await send(path, 'GET', browser.cookieHeader())
    expect(headers.get('cache-control'), path).toContain('no-store')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy, path).toContain("default-src 'none'; script-src 'self'")
    expect(policy, path).toContain("frame-ancestors 'none'")
  }
})

test('no page shows what a program says when it has nothing to say', async () => {
  const browser = await signedIn(filled.admin.username)
  const jane = await signedIn(idp.jane.username, ['account', 'playground'])
  const found: string[] = []
  for (const { path, route } of filled.pages) {
    for (const visitor of areaOf(route) === 'console' ? [browser] : [browser, jane]) {
      const { text } = await visitor.open(path)
      // Attributes too: labels, values and titles are read out.
      for (const [word] of text.matchAll(/\[object \w+\]|(?<![\w-])(?:undefined|null|NaN|Invalid Date)(?![\w-])/g))
        found.push(`${word} on ${route}`)
    }
  }
  expect([...new Set(found)]).toEqual([])
})

const payloads = readFileSync(new URL('../support/payloads.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const dangerous = payloads.filter((each) => /[<>"']/.test(each))

/** What would sign the visitor out, or make them somebody else, ends the search. */
const leftOut = /\/(?:sign-out|password|sessions|delete|email|phone)\b/

interface Field {
  readonly name: string
  readonly value: string
  readonly isText: boolean
}

const unescaped = (text: string) =>
  text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

/** The forms of a page that post, with what a browser would send of each. */
function formsOf(text: string): readonly { readonly action: string; readonly fields: readonly Field[] }[] {
  return [...text.matchAll(/<form([^>]*method="post"[^>]*)>(.*?)<\/form>/gs)].map(([, attributes = '', content = '']) => {
    const of = (tag: string, name: string) => unescaped(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? '')
    const inputs = [...content.matchAll(/<input\b[^>]*>/g)].map(([tag]): Field => {
      const type = of(tag, 'type') || 'text'
      return { name: of(tag, 'name'), value: of(tag, 'value'), isText: !['hidden', 'checkbox', 'radio', 'file'].includes(type) }
    })
    const areas = [...content.matchAll(/<textarea\b[^>]*>/g)].map(([tag]): Field => ({ name: of(tag, 'name'), value: '', isText: true }))
    const choices = [...content.matchAll(/<select\b([^>]*)>(.*?)<\/select>/gs)].map(
      ([, tag = '', options = '']): Field => ({
        name: of(tag, 'name'),
        value: unescaped((/value="([^"]*)" selected/.exec(options) ?? /value="([^"]*)"/.exec(options))?.[1] ?? ''),
        isText: false,
      }),
    )
    return { action: of(attributes, 'action'), fields: [...inputs, ...areas, ...choices].filter(({ name }) => name !== '') }
  })
}

describe('forty payloads on every field', () => {
  test('stay text, in the answer to the form and on every page afterwards', async () => {
    expect(payloads.length).toBeGreaterThanOrEqual(40)
    const browser = await signedIn(filled.admin.username)
    const escaped: string[] = []
    const note = (where: string, text: string) => {
      for (const payload of dangerous) if (text.includes(payload)) escaped.push(`${payload} on ${where}`)
      if (/(?:href|src|action)="\s*(?:javascript|data:text|vbscript):/i.test(text)) escaped.push(`an address that runs on ${where}`)
    }
    let sent = 0
    for (const { path, route } of filled.pages) {
      const forms = formsOf((await browser.open(path)).text).filter(
        ({ action, fields }) => !leftOut.test(action) && fields.some(({ isText }) => isText),
      )
      for (const [index] of forms.entries()) {
        for (const payload of payloads) {
          // Anew for each: what the one before has changed belongs to the form.
          const form = formsOf((await browser.open(path)).text).filter(
            ({ action, fields }) => !leftOut.test(action) && fields.some(({ isText }) => isText),
          )[index]
          if (!form) break
          const values = form.fields.map(({ name, value, isText }) => [name, isText ? payload : value])
          const reply = await browser.open(form.action, Object.fromEntries(values))
          expect(reply.status, `${route} with ${payload}`).toBeLessThan(500)
          note(`${route} (its answer)`, reply.text)
          sent += 1
        }
      }
      for (const query of [
        'q',
        'name',
        'key',
        'value',
        'type',
        'actor',
        'subject',
        'after',
        'client_id',
        'claims',
        'others',
        'more_scopes',
        'done',
      ]) {
        const reply = await browser.open(`${path.split('?')[0]}?${query}=${encodeURIComponent(payloads[sent % payloads.length] ?? '')}`)
        expect(reply.status, `${route}?${query}`).toBeLessThan(500)
        note(`${route}?${query}`, reply.text)
      }
    }
    expect(sent).toBeGreaterThan(500)
    for (const { path, route } of filled.pages) note(route, (await browser.open(path)).text)
    expect([...new Set(escaped)]).toEqual([])
  }, 300_000)
})
