/** Projects and applications in the console, as a person does it in Chromium: on a phone, at a desk, and without scripts. */
import { allowInsecureRequests, ClientSecretBasic, clientCredentialsGrant, discovery } from 'openid-client'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { expectUsable, looks, openSignedIn, signInWhereAsked } from '../support/pages.ts'

let chromium: Chromium

const starting = async (): Promise<Idp> => {
  const idp = await startIdp()
  await idp.domain.users.edit(idp.jane.id, { admin: true }, { kind: 'system' })
  return idp
}

/** Makes a project, and an application of a kind in it; answers what the last page tells to copy. */
async function makeApplication(page: Page, idp: Idp, kind: string, fill: () => Promise<void> = async () => {}) {
  await openSignedIn(page, idp, '/console/projects', idp.jane.username)
  await page.click('#new-project')
  await page.fill('#name', `Shop for ${kind}`)
  await page.click('#project-submit')
  await page.click('#new-application')
  await page.click(`#kind-${kind}`)
  await page.fill('#name', `shop-${kind}`)
  await fill()
  await page.click('#application-submit')
  const text = async (id: string) => ((await page.locator(id).count()) > 0 ? ((await page.textContent(id))?.trim() ?? '') : undefined)
  return {
    issuer: await text('#issuer'),
    clientId: (await text('#client-id')) ?? '',
    secret: await text('#client-secret'),
    curl: await text('#curl'),
  }
}

describe.skipIf(withoutChromium)('projects and applications', () => {
  beforeAll(async () => {
    chromium = await startChromium()
  })
  afterAll(() => chromium[Symbol.asyncDispose]())

  for (const { name, options } of looks) {
    test(`on ${name}, every kind of application is made, and pages are usable`, async () => {
      await using idp = await starting()
      const page = await chromium.newPage({ ...options, bypassCSP: true })
      await openSignedIn(page, idp, '/console/projects', idp.jane.username)
      await expectUsable(page, 'projects')
      for (const kind of ['web', 'userAgent', 'native', 'machine', 'api']) {
        const isForPeople = ['web', 'userAgent', 'native'].includes(kind)
        const made = await makeApplication(page, idp, kind, async () => {
          await expectUsable(page, `wizard of ${kind}`)
          if (!isForPeople) return
          await page.fill('#redirectUris', kind === 'native' ? 'com.example.shop:/callback' : 'https://shop.example/callback')
          await page.check('#idTokenUserinfoAssertion')
        })
        await expectUsable(page, `ready ${kind}`)
        const view = await idp.domain.catalogue.find(made.clientId)
        expect(view?.application, kind).toMatchObject({ name: `shop-${kind}`, idTokenUserinfoAssertion: isForPeople })
        expect(made.secret === undefined, kind).toBe(view?.application.authMethod === 'none')
        await page.click('#application-done')
        expect(await page.textContent('h1')).toContain(`shop-${kind}`)
        await expectUsable(page, `settings of ${kind}`)
        expect(await page.content()).not.toContain(made.secret ?? 'no secret')
        await page.click('#application-edit')
        await expectUsable(page, `form of ${kind}`)
        await page.click('#application-submit')
        await page.waitForSelector('.done')
        expect((await idp.domain.catalogue.find(made.clientId))?.application, kind).toEqual(view?.application)
      }
    })
  }

  test('a machine gets a token with what the wizard told to copy, without scripts', async () => {
    await using idp = await starting()
    const page = await chromium.newPage({ javaScriptEnabled: false })
    const { issuer = '', clientId, secret = '', curl } = await makeApplication(page, idp, 'machine')
    expect(curl).toContain(`"${clientId}:$CLIENT_SECRET"`)
    const configuration = await discovery(new URL(issuer), clientId, {}, ClientSecretBasic(secret), { execute: [allowInsecureRequests] })
    expect((await clientCredentialsGrant(configuration)).access_token).toBeTruthy()
  })

  test('what is wrong is said at its field, and what was typed is kept', async () => {
    await using idp = await starting()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, `/console/applications/${idp.web.id}`, idp.jane.username)
    await page.click('#application-edit')
    await page.fill('#redirectUris', 'http://shop.example/callback')
    await page.fill('#name', 'Shop')
    await page.click('#application-submit')
    expect(await page.textContent('#redirectUris-fault')).toContain('must be https')
    expect(await page.getAttribute('#redirectUris', 'aria-describedby')).toContain('redirectUris-fault')
    expect(await page.inputValue('#name')).toBe('Shop')
    expect((await idp.domain.catalogue.findById(idp.web.id))?.name).toBe('web')
    await page.fill('#redirectUris', 'https://shop.example/callback')
    await page.check('#idTokenUserinfoAssertion')
    await page.selectOption('#accessTokenType', 'jwt')
    await page.click('#application-submit')
    await page.waitForSelector('.done')
    expect(await idp.domain.catalogue.findById(idp.web.id)).toMatchObject({
      name: 'Shop',
      redirectUris: ['https://shop.example/callback'],
      idTokenUserinfoAssertion: true,
      accessTokenType: 'jwt',
    })
  })

  test('a native application with a secret is told what is wrong with that', async () => {
    await using idp = await starting()
    await idp.domain.catalogue.commit({ putApplications: [{ ...idp.native, authMethod: 'basic' }], events: [] })
    const page = await chromium.newPage()
    await openSignedIn(page, idp, `/console/applications/${idp.native.id}?ui_locales=de`, idp.jane.username)
    expect(await page.textContent('#compliance')).toContain('kann kein Client-Geheimnis bewahren')
  })

  test('a secret is made anew, and a project removed, only after the password was proved again and the name typed', async () => {
    await using idp = await starting()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, `/console/applications/${idp.web.id}`, idp.jane.username)
    await page.click('#application-secret')
    await page.click('#confirm-submit')
    const secret = (await page.textContent('#client-secret'))?.trim() ?? ''
    expect(secret).toHaveLength(43)
    expect(secret).not.toBe(idp.secret)

    await page.goto(idp.url(`/console/projects/${idp.project.id}/remove`).href)
    expect(await page.isDisabled('#confirm-submit')).toBe(true)
    await page.fill('#typed', 'portal')
    expect(await page.isDisabled('#confirm-submit')).toBe(true)
    await page.fill('#typed', idp.project.name)
    await page.click('#confirm-submit')
    await page.waitForURL('**/console/projects?done=removed')
    expect(await idp.domain.catalogue.findById(idp.web.id)).toBeUndefined()
  })

  test('roles are added and removed', async () => {
    await using idp = await starting()
    const page = await chromium.newPage()
    await openSignedIn(page, idp, `/console/projects/${idp.project.id}`, idp.jane.username)
    await page.fill('#key', 'editor')
    await page.fill('#displayName', 'May edit')
    await page.click('#role-submit')
    await page.waitForSelector('text=May edit')
    await page.click('a[href$="/role?key=reader"]')
    await signInWhereAsked(page, idp.jane.username)
    await page.click('#confirm-submit')
    await page.waitForURL('**?done=removed')
    const project = (await idp.domain.catalogue.listProjects()).find(({ id }) => id === idp.project.id)
    expect(project?.roles.map(({ key }) => key)).toEqual(['writer', 'editor'])
    expect((await idp.domain.users.get(idp.jane.id)).roles[idp.project.id]).toEqual([])
  })
})
