/** Pushed authorization requests (RFC 9126), misused. */
import * as client from 'openid-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { relyingParty, signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

/** The address of a request that `web` has pushed. */
async function pushed(idp: Idp): Promise<URL> {
  return client.buildAuthorizationUrlWithPAR(await relyingParty(idp, idp.web), {
    redirect_uri: idp.web.redirectUris[0] as string,
    scope: 'openid',
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
  })
}

// The clock of this process is the engine's too.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true }))
afterEach(() => void vi.useRealTimers())

describe.each(testStores)('on $name', ({ make }) => {
  test('one that is opened many times at once, in browsers that are signed in, gives one code', async () => {
    await using idp = await startIdp({ store: make() })
    const browsers = await Promise.all(Array.from({ length: 5 }, async () => (await signIn(idp)).browser))
    const address = await pushed(idp)
    const pages = await Promise.all(browsers.map((browser) => browser.open(address)))
    expect(pages.filter(({ url }) => url.searchParams.has('code'))).toHaveLength(1)
    const late = pages.filter(({ url }) => !url.searchParams.has('code'))
    for (const { url, text } of late) expect(url.searchParams.get('error') ?? text).toContain('invalid_request_uri')
  })

  test('one that is over is refused on a page of ours: where to send the person back to was over with it', async () => {
    await using idp = await startIdp({ store: make() })
    const address = await pushed(idp)
    vi.setSystemTime(Date.now() + 61_000)
    const page = await idp.browser().open(address)
    expect(page.status).toBe(400)
    expect(page.text).toContain('invalid_request_uri')
    expect(page.text).toContain('request_uri is invalid, expired, or was already used')
  })
})

test('one of another client is refused to it, and still works for its own', async () => {
  await using idp = await startIdp()
  const stranger: Application = { ...idp.web, id: 'stranger', clientId: 'stranger' }
  await idp.domain.catalogue.commit({ putApplications: [stranger], events: [] })
  const { browser } = await signIn(idp)
  const address = await pushed(idp)
  const stolen = new URL(address)
  stolen.searchParams.set('client_id', stranger.clientId)
  const refused = await browser.open(stolen)
  expect(refused.url.searchParams.get('code')).toBeNull()
  expect(refused.status).toBe(400)
  expect(refused.text).toContain('invalid_request_object')
  expect((await browser.open(address)).url.searchParams.get('code')).not.toBeNull()
})
