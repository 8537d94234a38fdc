/** Debian's Chromium, for tests that need a real browser. */
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))

/** Why there is no browser, where there is none. On CI that is a failure, not a reason to skip. */
export const withoutChromium = executablePath || process.env.CI === 'true' ? undefined : 'no Chromium: apt-get install chromium'

export interface Chromium extends AsyncDisposable {
  newPage(options?: BrowserContextOptions): Promise<Page>
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>
}

/** Starts a browser of its own. @throws Error when there is no Chromium */
export async function startChromium(): Promise<Chromium> {
  if (!executablePath) throw new Error('Chromium is not installed: apt-get install chromium')
  const browser: Browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  return {
    newPage: async (options) => (await browser.newContext(options)).newPage(),
    newContext: (options) => browser.newContext(options),
    [Symbol.asyncDispose]: () => browser.close(),
  }
}
