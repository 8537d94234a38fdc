/** What tests of our own pages share: the ways in which a page is looked at, how somebody signs in to one, and what is looked for on each. */
import axe from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import { type Idp, password } from './idp.ts'

interface Look {
  readonly name: string
  readonly options: BrowserContextOptions
}

/** A phone and a desk, by day and by night. */
export const looks: readonly Look[] = [
  { name: 'a phone', options: { viewport: { width: 390, height: 844 }, colorScheme: 'light' } },
  { name: 'a desk by night', options: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' } },
]

export const narrow: BrowserContextOptions = { viewport: { width: 320, height: 640 } }

/** Opens a page of ours, signing in where it asks for that. */
export async function openSignedIn(page: Page, idp: Idp, path: string, username: string): Promise<void> {
  await page.goto(idp.url(path).href)
  await signInWhereAsked(page, username)
}

/** Signs in when the page is that of a sign-in. */
export async function signInWhereAsked(page: Page, username: string): Promise<void> {
  if ((await page.locator('#login-submit').count()) === 0) return
  await page.fill('#username', username)
  await page.fill('#password', password)
  await page.click('#login-submit')
}

/** Run in the page: what axe finds, a line each. */
const findFaults = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
  .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`

/** Expects a page that everybody can use: nothing that axe finds, one `h1`, and nothing that makes it scroll sideways. The context must have `bypassCSP`. */
export async function expectUsable(page: Page, name: string): Promise<void> {
  await page.addScriptTag({ content: axe.source })
  expect(await page.evaluate(findFaults), name).toEqual([])
  expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), `${name} scrolls sideways`).toBe(true)
  expect(await page.locator('h1').count(), `${name}: how many h1`).toBe(1)
}
