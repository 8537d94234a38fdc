/** Overview, settings, signing keys and the audit trail, as an administrator uses them in Chromium. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { expectUsable, looks, narrow, openSignedIn, signInWhereAsked } from '../support/pages.ts'

let chromium: Chromium

const starting = async (): Promise<Idp> => {
  const idp = await startIdp()
  await idp.domain.users.edit(idp.jane.id, { admin: true }, { kind: 'system' })
  return idp
}

const paths = ['', '/settings', '/settings/edit', '/keys', '/audit', '/keys/rotate'] as const

describe.skipIf(withoutChromium)('the console of an administrator', () => {
  beforeAll(async () => {
    chromium = await startChromium()
  })
  afterAll(() => chromium[Symbol.asyncDispose]())

  for (const { name, options } of [...looks, { name: 'a narrow phone', options: narrow }]) {
    test(`on ${name}, every page is usable`, async () => {
      await using idp = await starting()
      const page = await chromium.newPage({ ...options, bypassCSP: true })
      for (const path of paths) {
        await openSignedIn(page, idp, `/console${path}`, idp.jane.username)
        await expectUsable(page, `/console${path}`)
        expect(await page.locator('#error-code').count(), path).toBe(0)
      }
    })
  }

  test('the overview counts, draws the sign-ins, and says what needs attention', async () => {
    await using idp = await starting()
    await idp.domain.users.lock(
      (await idp.domain.users.create({ kind: 'human', username: 'locked', profile: {} }, { kind: 'system' })).id,
      {
        kind: 'system',
      },
    )
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/console', idp.jane.username)
    expect(await page.textContent('.figures')).toMatch(/2\s*users/)
    expect(await page.textContent('#attention')).toContain('One user is locked')
    expect(await page.getAttribute('.figures a:text("locked")', 'href')).toBe('/console/users?state=locked')
    expect(await page.getAttribute('.figures a:text("inactive")', 'href')).toBe('/console/users?state=inactive')
    expect(await page.textContent('#chart-summary')).toBe('In the last 14 days there was 1 sign-in and 0 failures.')
    expect(await page.locator('svg.chart rect.good').count()).toBe(14)
  })

  test('settings are saved by the rules of the configuration file, and apply to the sign-in page at once', async () => {
    await using idp = await starting()
    const page = await chromium.newPage({ javaScriptEnabled: false })
    await openSignedIn(page, idp, '/console/settings/edit', idp.jane.username)
    await page.fill('#name', 'Acme & Sons')
    await page.fill('#accessTokenTtl', 'soon')
    await page.fill('#registrationFields', '[{"key":"ContractNumber"}]')
    await page.click('#settings-submit')
    expect(await page.textContent('#accessTokenTtl-fault')).toContain('must be a duration')
    expect(await page.textContent('#registrationFields-fault')).toContain('label')
    expect(await page.inputValue('#name')).toBe('Acme & Sons')
    expect((await idp.domain.catalogue.root()).organization.name).toBe('Dossier')

    await page.fill('#accessTokenTtl', '1h')
    await page.fill(
      '#registrationFields',
      '[{"key":"ContractNumber","label":{"en":"Contract","de":"Vertrag"},"pattern":"[0-9]+","required":true}]',
    )
    await page.selectOption('#registration', 'open')
    await page.check('#hasAccent')
    await page.fill('#accentColor', '#ffdd00')
    await page.click('#settings-submit')
    await page.waitForSelector('.done')
    expect(await page.textContent('main')).toContain('Open: people make accounts themselves')
    const { organization, settings } = await idp.domain.catalogue.root()
    expect(organization).toMatchObject({ name: 'Acme & Sons', accentColor: '#ffdd00' })
    expect(settings).toMatchObject({ accessTokenTtlSeconds: 3600, registration: 'open', registrationFields: [{ key: 'ContractNumber' }] })
    const visitor = await chromium.newPage()
    await visitor.goto(idp.url('/account').href)
    expect(await visitor.title()).toContain('Acme & Sons')
    expect(await visitor.locator('link[href="/assets/accent-ffdd00.css"]').count()).toBe(1)
    expect(await visitor.locator('#register-link').count()).toBe(1)
  })

  test('of two who save settings at once, the second is told, and overwrites nothing', async () => {
    await using idp = await starting()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/console/settings/edit', idp.jane.username)
    const other = await page.context().newPage()
    await other.goto(idp.url('/console/settings/edit').href)
    await other.fill('#name', 'Theirs')
    await other.click('#settings-submit')
    await other.waitForSelector('.done')
    await page.fill('#name', 'Mine')
    await page.click('#settings-submit')
    expect(await page.textContent('#problem')).toContain('Somebody else has saved settings')
    expect(await page.inputValue('#name')).toBe('Mine')
    expect((await idp.domain.catalogue.root()).organization.name).toBe('Theirs')
  })

  test('a key gets a successor, which is taken away again', async () => {
    await using idp = await starting()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/console/keys', idp.jane.username)
    const other = await page.context().newPage()
    await other.goto(idp.url('/console/keys/rotate?algorithm=RS256').href)
    await page.click('#rotate-RS256')
    await page.click('#confirm-submit')
    await page.waitForURL('**/console/keys?done=saved')
    expect(await page.locator('#rotate-RS256').count()).toBe(0)
    await other.click('#confirm-submit')
    expect(await other.textContent('#problem')).toContain('A successor of RS256 waits to sign already')
    const successor = (await idp.domain.keys.list()).find(({ phase, algorithm }) => phase === 'published' && algorithm === 'RS256')
    expect(await page.textContent(`a[href$="kid=${successor?.kid}"]`)).toContain(successor?.kid)
    await page.click(`a[href$="kid=${successor?.kid}"]`)
    await signInWhereAsked(page, idp.jane.username)
    await page.fill('#typed', successor?.kid ?? '')
    await page.click('#confirm-submit')
    await page.waitForURL('**/console/keys?done=removed')
    expect((await idp.domain.keys.list()).map(({ kid }) => kid)).not.toContain(successor?.kid)
  })

  test('the trail names whoever and whatever is still there, and leads to no page that is not', async () => {
    await using idp = await starting()
    const { users, projects, applications } = idp.domain
    const actor = { kind: 'user', id: idp.jane.id } as const
    const gone = await users.create({ kind: 'human', username: 'gone', profile: { displayName: 'Gone' } }, actor)
    await users.remove(gone.id, actor)
    await projects.change(idp.project.id, { name: 'Portal <b>' }, actor)
    await applications.change(idp.web.id, () => ({ redirectUris: ['https://app.example/other'], clockSkewSeconds: 1 }), {
      kind: 'cli',
      name: 'ada',
    })
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/console/audit', idp.jane.username)
    const row = (type: string) => page.locator('#results tbody tr', { hasText: type }).first()
    expect(await row('project.changed').textContent()).toMatch(/Project\s+Portal <b>/)
    expect(await row('project.changed').textContent()).toContain('changed: name')
    expect(await row('project.changed').locator(`a[href="/console/users/${idp.jane.id}"]`).count()).toBe(1)
    expect(await row('application.changed').textContent()).toMatch(/ada, at the command line/)
    expect(await row('application.changed').textContent()).toContain('changed: Redirect URIs, clock skew')
    expect(await row('user.removed').textContent()).toContain(gone.id)
    const addresses = await page
      .locator('#results td a')
      .evaluateAll((links) => [...new Set(links.map((link) => link.getAttribute('href')))])
    expect(addresses.length).toBeGreaterThan(2)
    expect(addresses).not.toContain(`/console/users/${gone.id}`)
    for (const address of addresses) expect((await page.request.get(idp.url(address ?? '').href)).status(), address ?? '').toBe(200)
  })

  test('the trail is filtered, page by page, and goes out as CSV that no spreadsheet runs', async () => {
    await using idp = await starting()
    const { users, metadata } = idp.domain
    await users.edit(idp.jane.id, { username: '=HYPERLINK("x")' }, { kind: 'system' })
    const actor = { kind: 'user', id: idp.jane.id } as const
    for (let index = 0; index < 60; index += 1) await metadata.set(idp.jane.id, [{ key: `key-${index}`, value: Buffer.of(index) }], actor)
    const page = await chromium.newPage({ acceptDownloads: true })
    await openSignedIn(page, idp, '/console/audit', '=HYPERLINK("x")')
    await page.fill('#type', 'metadata.set')
    await page.click('#audit-submit')
    await page.waitForFunction('document.querySelectorAll("#results tbody tr").length === 50')
    await page.click('#next-page')
    await page.waitForFunction('document.querySelectorAll("#results tbody tr").length === 11')
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#audit-export')])
    const chunks: Buffer[] = []
    for await (const chunk of await download.createReadStream()) chunks.push(Buffer.from(chunk as Uint8Array))
    const lines = Buffer.concat(chunks).toString().trim().split('\r\n')
    expect(lines[0]).toBe('id,at,type,actorKind,actor,subjectKind,subject,sequence,payload')
    expect(lines).toHaveLength(1 + 61)
    expect(lines.filter((line) => /(^|,)"?[=+@]/.test(line))).toEqual([])
  })
})
