/** Sessions of our own pages as a browser without scripts sees them: what ends them, what does not, and forms that come twice. */

import { expect, onTestFinished, test } from 'vitest'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import type { Browser, Page } from '../support/browser.ts'
import { type Idp, password, person, startIdp } from '../support/idp.ts'

const system = { kind: 'system' } as const

/** A server with its own clock, and somebody who may do everything there. */
async function start() {
  let ahead = 0
  const idp = await startIdp({ now: () => new Date(Date.now() + ahead) })
  onTestFinished(() => idp[Symbol.asyncDispose]())
  const { ownProjectId } = await idp.domain.catalogue.root()
  const admin = await idp.domain.users.create(person({ username: 'admin', metadata: [], roles: { [ownProjectId]: ['IAM_OWNER'] } }), system)
  return {
    idp,
    admin,
    passSeconds: (seconds: number) => {
      ahead += seconds * 1000
    },
  }
}

const prove = (browser: Browser, page: Page, username: string) => browser.submit(page, '/login', { username, password })

async function signIn(idp: Idp, path: string, username: string): Promise<{ readonly browser: Browser; readonly page: Page }> {
  const browser = idp.browser()
  return { browser, page: await prove(browser, await browser.open(path), username) }
}

const csrfIn = ({ text }: Page) => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''

const send = (idp: Idp, path: string, cookie: string, init: RequestInit = {}) =>
  fetch(idp.url(path), { redirect: 'manual', ...init, headers: { accept: 'text/html', cookie, ...init.headers } })

test('the session of a page outlasts the access tokens that applications are given', async () => {
  const { idp, admin, passSeconds } = await start()
  const file = readConfigurationFile('settings: { accessTokenTtl: 1m }', 'dossier.yaml', {
    environment: () => undefined,
    file: () => undefined,
  })
  await idp.domain.provisioning.apply(file, system)
  const { browser } = await signIn(idp, '/console', admin.username)
  const look = () => send(idp, '/console/users', browser.cookieHeader())
  passSeconds(600)
  expect((await look()).status).toBe(200)
  passSeconds(901)
  expect((await look()).headers.get('location'), 'after a rest of a quarter of an hour').toContain('/oauth/v2/authorize')
})

test('proving again who one is leaves the forms of other tabs good, and another person has none of them', async () => {
  const { idp, admin, passSeconds } = await start()
  const { browser, page } = await signIn(idp, '/console/projects/new', admin.username)
  passSeconds(600)
  await prove(browser, await browser.open(`/console/users/${admin.id}/password`), admin.username)
  expect((await browser.submit(page, '/projects/new', { name: 'From the other tab' })).text).toContain('From the other tab')
  const other = await signIn(idp, '/console/projects/new', admin.username)
  expect((await other.browser.open('/console/projects/new', { name: 'Of another browser', csrf: csrfIn(page) })).status).toBe(403)
})

test('signing out ends the token behind the page, whatever is answered to the question that follows', async () => {
  const { idp, admin } = await start()
  const { browser, page } = await signIn(idp, '/console', admin.username)
  const copied = browser.cookieHeader()
  expect((await send(idp, '/console', copied)).status).toBe(200)
  await browser.submit(page, '/sign-out')
  expect((await send(idp, '/console', copied)).headers.get('location')).toContain('/oauth/v2/authorize')
})

test('the token of one area opens no other, and no cookie has a signature beside it', async () => {
  const { idp, admin } = await start()
  const { browser } = await signIn(idp, '/account', admin.username)
  const cookies = browser.cookieHeader()
  expect(cookies).toContain('dossier-account=')
  expect(cookies).not.toContain('dossier-account.sig')
  expect(cookies).not.toContain('dossier-csrf.sig')
  const moved = cookies.replace('dossier-account=', 'dossier-console=')
  expect((await send(idp, '/console', moved)).status).toBe(303)
})

test('many tabs and long addresses make no cookie that browsers refuse', async () => {
  const { idp, admin } = await start()
  const browser = idp.browser()
  const long = `/console/users?q=${'road%20runner%20'.repeat(200)}`
  const fitting = `/playground?scope=${'a'.repeat(700)}`
  let last = await browser.open(fitting)
  for (let tab = 0; tab < 4; tab += 1) last = await browser.open(fitting)
  for (const cookie of browser.cookieHeader().split('; ')) expect(cookie.length).toBeLessThan(4000)
  expect((await prove(browser, last, admin.username)).url.href).toBe(idp.url(fitting).href)
  const fresh = idp.browser()
  const landed = await prove(fresh, await fresh.open(long), admin.username)
  expect([landed.status, landed.url.pathname, landed.url.search]).toEqual([200, '/console/users', ''])
})

test('a form that shows a secret is carried out once, however often it comes', async () => {
  const { idp, admin } = await start()
  const machine = await idp.domain.users.create({ kind: 'machine', username: 'robot', profile: { displayName: 'Robot' } }, system)
  const { browser, page } = await signIn(idp, `/console/users/${machine.id}/credentials/secret`, admin.username)
  const secretOf = async () => (await idp.domain.users.find(machine.id))?.secretHash
  const [one, two] = await Promise.all([
    browser.submit(page, '/credentials/secret', { typed: 'robot' }),
    browser.submit(page, '/credentials/secret', { typed: 'robot' }),
  ])
  expect([one?.status, two?.status].sort()).toEqual([200, 409])
  const made = await secretOf()
  expect(made).toBeDefined()
  const again = await browser.submit(page, '/credentials/secret', { typed: 'robot' })
  expect(again.status).toBe(409)
  expect(again.text).toContain('id="error-code">done_already')
  expect(await secretOf()).toBe(made)
  const anew = await browser.submit(await browser.open(page.url), '/credentials/secret', { typed: 'robot' })
  expect(anew.status).toBe(200)
  expect(await secretOf()).not.toBe(made)
})

test('a form that was refused may come again as it is', async () => {
  const { idp, admin } = await start()
  const { browser, page } = await signIn(idp, `/console/users/${idp.jane.id}/remove`, admin.username)
  for (const typed of ['somebody', 'somebody']) expect((await browser.submit(page, '/remove', { typed })).status, typed).toBe(400)
  expect((await browser.submit(page, '/remove', { typed: idp.jane.username })).status).toBe(200)
  expect(await idp.domain.users.find(idp.jane.id)).toBeUndefined()
})

test('whoever did not sign in after all, or comes back too late, is shown the way to begin again', async () => {
  const { idp } = await start()
  const browser = idp.browser()
  const { url } = await browser.open('/console')
  expect(url.pathname).toContain('/interaction')
  for (const answer of ['error=access_denied&state=x', 'code=x&state=y', '']) {
    const page = await browser.open(`/console/callback?${answer}`)
    expect(page.status).toBe(400)
    expect(page.text).toContain('href="/console"')
  }
})

test('a form in parts whose type does not say where they end is bad input', async () => {
  const { idp, admin } = await start()
  const { browser } = await signIn(idp, '/console', admin.username)
  const reply = await send(idp, '/console/projects/new', browser.cookieHeader(), {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data' },
    body: 'x',
  })
  expect(reply.status).toBe(415)
  expect(idp.log.filter((line) => line.includes('a request failed'))).toEqual([])
})

test('browsers are told that forms of console and account lead nowhere else', async () => {
  const { idp, admin } = await start()
  for (const [path, stay] of [
    ['/console', true],
    ['/account', true],
    ['/playground', false],
  ] as const) {
    const { page } = await signIn(idp, path, admin.username)
    expect(page.headers.get('content-security-policy')?.includes("form-action 'self'"), path).toBe(stay)
  }
})
