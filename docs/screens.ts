/** `npm run screens`: pictures of every page of ours in docs/screens, at a desk by day and on a phone by night. The list of pages is the router's own. */
import { mkdir, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { startChromium } from '../test/support/chromium.ts'
import { fill } from '../test/support/everyPage.ts'
import { startIdp } from '../test/support/idp.ts'
import { openSignedIn } from '../test/support/pages.ts'

const folder = resolve(import.meta.dirname, 'screens')

const looks: Readonly<Record<string, BrowserContextOptions>> = {
  desk: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
}

/** Pages that somebody sees who is not signed in, and how they get there. */
const strangers: Readonly<Record<string, (page: Page, issuer: string) => Promise<unknown>>> = {
  home: (page, issuer) => page.goto(issuer),
  'sign-in': (page, issuer) => page.goto(`${issuer}/account`),
  'sign-in-register': async (page, issuer) => {
    await page.goto(`${issuer}/account`)
    await page.click('#register-link')
  },
  'sign-in-reset': async (page, issuer) => {
    await page.goto(`${issuer}/account`)
    await page.click('#reset-link')
  },
  'sign-in-german': (page, issuer) => page.goto(`${issuer}/account?ui_locales=de`),
  device: (page, issuer) => page.goto(`${issuer}/device`),
  error: (page, issuer) => page.goto(`${issuer}/oauth/v2/authorize?client_id=nobody`),
}

/** The longest picture, in pixels: on most pages, what is below repeats what is above. */
const usuallyTallest = 1800

async function take(page: Page, name: string, tallest = usuallyTallest): Promise<void> {
  const height = (await page.evaluate('document.documentElement.scrollHeight')) as number
  const { width = 0 } = page.viewportSize() ?? {}
  await page.screenshot({
    path: resolve(folder, `${name}.png`),
    fullPage: true,
    clip: { x: 0, y: 0, width, height: Math.min(height, tallest) },
  })
}

await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })
await using idp = await startIdp()
const { admin, pages } = await fill(idp)
await using chromium = await startChromium()
for (const [look, options] of Object.entries(looks)) {
  for (const [name, open] of Object.entries(strangers)) {
    const page = await chromium.newPage(options)
    await open(page, idp.issuer)
    await take(page, `${name}-${look}`)
    await page.context().close()
  }
  const visitors = new Map<string, Page>()
  for (const { name, path } of pages) {
    const visitor = path.startsWith('/account') ? idp.jane.username : admin.username
    const page = visitors.get(visitor) ?? (await chromium.newPage(options))
    visitors.set(visitor, page)
    await openSignedIn(page, idp, path, visitor)
    await take(page, `${name}-${look}`)
    process.stderr.write(`\r${look}: ${name}${' '.repeat(40)}`)
  }
  const runner = visitors.get(admin.username) ?? (await chromium.newPage(options))
  await openSignedIn(runner, idp, '/playground', admin.username)
  await runner.click('#run')
  await runner.waitForSelector('[data-verdict]')
  await take(runner, `playground-run-${look}`, 12_000)
  for (const page of visitors.values()) await page.context().close()
}
process.stderr.write('\n')
