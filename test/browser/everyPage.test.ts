/** Every page of ours in Chromium: usable by everybody, light, still, and within its own policy. The list is the router's own. */
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { type FilledIdp, fill } from '../support/everyPage.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { expectUsable, looks, narrow, openSignedIn } from '../support/pages.ts'

let chromium: Chromium
let idp: Idp
let filled: FilledIdp

/** Counts what moves while a page is there: run before anything of it. */
const watchShifts = `
  window.shifted = 0
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value
  }).observe({ type: 'layout-shift', buffered: true })`

const mostHtmlBytes = 60 * 1024
const mostAssetBytes = 30 * 1024

describe.skipIf(withoutChromium)('every page', () => {
  beforeAll(async () => {
    chromium = await startChromium()
    idp = await startIdp()
    filled = await fill(idp)
  })
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]()
    await idp[Symbol.asyncDispose]()
  })

  const visitorOf = (path: string) => (path.startsWith('/account') ? idp.jane.username : filled.admin.username)

  /** Opens each page of the list in a browser of its own for each of the two who look. */
  async function everyPage(open: () => Promise<Page>, look: (page: Page, name: string) => Promise<void>): Promise<void> {
    const pages = new Map<string, Page>()
    for (const { path, route } of filled.pages) {
      const visitor = visitorOf(path)
      const page = pages.get(visitor) ?? (await open())
      pages.set(visitor, page)
      await openSignedIn(page, idp, path, visitor)
      await look(page, route)
    }
    for (const page of pages.values()) await page.context().close()
  }

  for (const { name, options } of [{ name: 'a narrow phone', options: narrow }, ...looks.slice(1)]) {
    test(`on ${name}, has nothing that axe finds, one heading, and does not scroll sideways`, async () => {
      await everyPage(
        () => chromium.newPage({ ...options, bypassCSP: true }),
        async (page, route) => {
          expect(await page.locator('#error-id').count(), route).toBe(0)
          await expectUsable(page, route)
        },
      )
    }, 300_000)
  }

  test('weighs at most 60 KB, and 30 KB of style and script compressed, and nothing in it moves while it loads', async () => {
    const complaints: string[] = []
    const assets = new Map<string, number>()
    await everyPage(
      async () => {
        const page = await chromium.newPage({ viewport: { width: 1280, height: 900 } })
        await page.addInitScript(watchShifts)
        page.on('console', (message) => complaints.push(`${page.url()}: ${message.text()}`))
        page.on('response', async (response) => {
          if (!/\/assets\/.*\.(?:css|js)$/.test(response.url())) return
          const body = await response.body().catch(() => Buffer.alloc(0))
          assets.set(new URL(response.url()).pathname, gzipSync(body).byteLength)
        })
        return page
      },
      async (page, route) => {
        // Until what scripts did when the page was there has been drawn.
        await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
        const html = await page.evaluate('fetch(location.href, { headers: { accept: "text/html" } }).then((reply) => reply.text())')
        expect(Buffer.byteLength(String(html)), route).toBeLessThanOrEqual(mostHtmlBytes)
        const used = (await page.evaluate(
          '[...document.querySelectorAll("link[rel=stylesheet]")].map((each) => each.href).concat([...document.scripts].map((each) => each.src))',
        )) as string[]
        const bytes = used.reduce((sum, each) => sum + (assets.get(new URL(each).pathname) ?? 0), 0)
        expect(bytes, `style and script of ${route}`).toBeGreaterThan(0)
        expect(bytes, `style and script of ${route}`).toBeLessThanOrEqual(mostAssetBytes)
        expect(await page.evaluate('window.shifted'), `${route} moves`).toBe(0)
      },
    )
    // A link that is not there is refused, which the browser calls a failure.
    expect(complaints.filter((line) => !/email\/confirm: Failed to load/.test(line))).toEqual([])
  }, 300_000)

  test('has its words in German too', async () => {
    const english = new Set<string>()
    await everyPage(
      () => chromium.newPage({ locale: 'de-CH' }),
      async (page, route) => {
        if ((await page.getAttribute('html', 'lang')) !== 'de') english.add(route)
      },
    )
    expect([...english]).toEqual([])
  }, 300_000)
})
