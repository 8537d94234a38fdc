/** The console's pages about users as managers use them: in Chromium, on a phone and on a desk, with and without JavaScript. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { User } from '#src/domain/users/user.ts'
import { type Chromium, startChromium, withoutChromium } from '../support/chromium.ts'
import { newManager } from '../support/consolePeople.ts'
import { person, startIdp } from '../support/idp.ts'
import { type Asked, lookThrough } from '../support/lookThrough.ts'
import { expectUsable, looks, narrow, openSignedIn } from '../support/pages.ts'
import { payloads } from '../support/payloads.ts'

const system = { kind: 'system' } as const
const folder = {
  'realm_config.json': { app_id: 'myapp-abcde', name: 'My app' },
  'data_sources/mongodb-atlas/config.json': { name: 'mongodb-atlas', type: 'mongodb-atlas' },
  'auth/custom_user_data.json': {
    enabled: true,
    mongo_service_name: 'mongodb-atlas',
    database_name: 'myapp',
    collection_name: 'users',
    user_id_field: 'owner',
  },
}
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
const segment = (key: string) => Buffer.from(key).toString('base64url')

async function start() {
  const idp = await startIdp()
  const files = new Map(Object.entries(folder).map(([path, value]) => [path, Buffer.from(JSON.stringify(value))]))
  const { app } = await idp.domain.apps.push('myapp-abcde', files, system)
  const admin = await newManager(idp, 'IAM_OWNER')
  return { ...idp, app, admin }
}
type Place = Awaited<ReturnType<typeof start>>

/** Where a page says that something was done. */
const done = async (page: Page) => (await page.textContent('[role=status]'))?.trim()

/** Everything that a manager does about users, one after the other. */
async function work(page: Page, idp: Place, hasScripts: boolean): Promise<void> {
  const { users, metadata } = idp.domain
  await openSignedIn(page, idp, '/console/users', idp.admin.username)

  // Creates a person; what is wrong is said at its field.
  await page.click('#new-user')
  await page.fill('#givenName', 'Grace')
  await page.fill('#familyName', 'Hopper')
  await page.fill('#username', 'grace')
  await page.fill('#password', 'short')
  await page.click('#create-submit')
  expect(await page.textContent('#password-fault')).toMatch(/8 characters/)
  expect(await page.inputValue('#familyName')).toBe('Hopper')
  await page.fill('#password', 'a long password')
  await page.click('#create-submit')
  expect(await done(page)).toBe('The user was created.')
  const grace = (await users.findByUsername('grace')) ?? expect.unreachable()
  const address = (below = '') => idp.url(`/console/users/${grace.id}${below}`).href

  // Finds her again, while typing where scripts run.
  await page.goto(idp.url('/console/users').href)
  await page.fill('#q', 'hop')
  if (!hasScripts) await page.click('#search-submit')
  await page.waitForURL(/q=hop/)
  await page.waitForFunction("document.querySelectorAll('#found tbody tr').length === 1")
  await page.click('text=Grace Hopper')

  // Edits the profile, locks and unlocks.
  await page.click('#edit-user')
  await page.fill('#email', 'grace@acme.example')
  await page.check('#emailVerified')
  await page.click('#edit-submit')
  expect(await done(page)).toBe('Saved.')
  await page.click('#move-lock')
  expect(await page.textContent('.marks')).toContain('Locked')
  await page.click('#move-unlock')

  // Grants roles of a project, and rights.
  await page.click('nav.tabs >> text=Roles')
  await page.selectOption('#project', idp.project.id)
  await page.click('#grant-choose')
  await page.check('#role-reader')
  await page.click('#grant-submit')
  expect(await page.textContent('tbody')).toContain('reader')
  await page.click('#rights-link')
  await page.check('#role-ORG_USER_MANAGER')
  await page.click('#rights-submit')
  expect(await page.textContent('tbody')).toContain('ORG_USER_MANAGER')

  // Adds metadata, pastes many, sees it, edits it against somebody else, and removes it.
  await page.click('nav.tabs >> text=Metadata')
  await page.click('#new-metadata')
  await page.fill('#key', 'color')
  await page.fill('#value', 'ultramarine')
  await page.click('#value-submit')
  await page.click('#paste-metadata')
  await page.fill('#text', 'city=Zurich\nbroken')
  await page.click('#paste-submit')
  expect(await page.textContent('#paste-faults')).toContain('Line 2: There is no equals sign.')
  await page.fill('#text', 'city=Zurich\ncountry=CH')
  await page.click('#paste-submit')
  expect(await page.textContent('tbody')).not.toContain('ultramarine')
  await page.click('#reveal-all')
  expect(await page.textContent('tbody')).toContain('ultramarine')
  await page.click('tbody >> text=color')
  await page.click('#reveal')
  expect(await page.inputValue('#value')).toBe('ultramarine')
  await metadata.set(grace.id, [{ key: 'color', value: Buffer.from('green') }], system)
  await page.fill('#value', 'red')
  await page.click('#value-submit')
  expect(await page.textContent('main')).toMatch(/What is there now[\s\S]*green[\s\S]*What you wanted to save/)
  expect(await page.inputValue('#value')).toBe('red')
  await page.click('#save-mine')
  expect(await done(page)).toBe('Saved.')
  expect(Buffer.from((await metadata.get(grace.id, 'color')).value).toString()).toBe('red')
  await page.click('tbody >> text=city')
  await page.click('#remove-metadata')
  await page.click('#confirm-submit')
  expect(await done(page)).toBe('Removed.')

  // Sends bytes, looks at them, and takes them back.
  await page.click('#new-metadata')
  await page.fill('#key', 'photo')
  await page.setInputFiles('#file', { name: 'photo.png', mimeType: 'image/png', buffer: png })
  await page.click('#value-submit')
  await page.click('tbody >> text=photo')
  await page.click('#reveal')
  await page.waitForFunction("document.querySelector('img.preview')?.naturalWidth === 1")
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')])
  expect(await readFile(await download.path())).toEqual(png)

  // What an application receives.
  await page.goto(address('/metadata'))
  await page.click('#preview')
  await page.selectOption('#client', idp.web.clientId)
  await page.click('#preview-submit')
  expect(await page.textContent('#userinfo + pre')).toContain('"grace@acme.example"')
  await page.click('#reveal-preview')
  expect(await page.textContent('#userinfo + pre')).toContain(Buffer.from('red').toString('base64url'))

  // Custom data.
  await page.click('nav.tabs >> text=Custom data')
  await page.click('text=Create the document')
  await page.fill('#document', `{"owner": "${grace.id}", "theme": }`)
  await page.click('#document-submit')
  expect(await page.textContent('#document-fault')).toMatch(/line 1, column \d+/)
  await page.fill('#document', `{"owner": "${grace.id}", "theme": "dark"}`)
  await page.click('#document-submit')
  expect(await page.textContent('main')).toContain('dark')

  // A password, and what happened.
  await page.click('nav.tabs >> text=Overview')
  await page.click('#set-password')
  await page.fill('#password', 'another password')
  await page.fill('#again', 'another password')
  await page.click('#password-submit')
  expect(await done(page)).toMatch(/password was set/)
  await page.click('nav.tabs >> text=History')
  expect(await page.textContent('tbody')).toMatch(/Password changed[\s\S]*Value of metadata photo shown[\s\S]*Created as grace/)

  // A service account with a token and a key, each told once.
  await page.goto(idp.url('/console/users/new?kind=machine').href)
  await page.fill('#username', 'exporter')
  await page.click('#create-submit')
  await page.click('nav.tabs >> text=Tokens and keys')
  await page.click('#new-token')
  await page.fill('#name', 'for the backup')
  await page.click('#credential-submit')
  expect(await users.findByToken((await page.textContent('#secret-0'))?.trim() ?? '')).toBeDefined()
  await page.click('#secret-back')
  await page.click('#new-key')
  await page.click('#credential-submit')
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('#secret-download')])
  expect(JSON.parse(await readFile(await file.path(), 'utf8'))).toMatchObject({ type: 'serviceaccount' })
  await page.click('#secret-back')
  await page.click('text=Revoke the token')
  expect(await page.textContent('main')).toContain('Revoke the token “for the backup”?')
  await page.click('#confirm-submit')
  expect(await page.textContent('main')).toContain('There is no token.')

  // Signs somebody out everywhere, and removes them once their name is typed.
  await page.goto(address('/sessions'))
  expect(await page.textContent('main')).toContain('not signed in anywhere')
  await page.goto(address())
  await page.click('#remove-user')
  if (hasScripts) expect(await page.isDisabled('#confirm-submit')).toBe(true)
  await page.fill('#typed', 'grace')
  await page.click('#confirm-submit')
  expect(await done(page)).toBe('Removed.')
  expect(await users.find(grace.id)).toBeUndefined()
}

const longKey = 'a-very-long-key-without-a-place-to-break-'.repeat(4)

/** The pages, each for a user with something of everything. */
const pages = (user: User, robot: User, idp: Place): readonly (readonly [path: string, open?: (page: Page) => Promise<void>])[] => [
  ['/users'],
  ['/users?q=nobodyhere&state=locked'],
  ['/users?value=x'],
  ['/users/new', (page) => page.click('#create-submit')],
  ['/users/new?kind=machine'],
  [`/users/${user.id}`],
  [`/users/${user.id}/edit`, (page) => page.click('summary')],
  [`/users/${user.id}/password`],
  [`/users/${user.id}/remove`],
  [`/users/${user.id}/roles`],
  [`/users/${user.id}/roles/${idp.project.id}`],
  [`/users/${user.id}/rights`],
  [`/users/${idp.admin.id}/sessions`],
  [`/users/${robot.id}/credentials`],
  [`/users/${robot.id}/credentials/token`, (page) => page.fill('#name', 'x').then(() => page.click('#credential-submit'))],
  [`/users/${robot.id}/credentials/key`],
  [`/users/${robot.id}/credentials/secret`],
  [`/users/${idp.admin.id}/sessions/end-all`],
  [`/users/${user.id}/identities`],
  [`/users/${user.id}/history`],
  [`/users/${user.id}/metadata`, (page) => page.click('#reveal-all')],
  [`/users/${robot.id}/metadata`],
  [`/users/${user.id}/metadata/new`],
  [`/users/${user.id}/metadata/paste`, (page) => page.fill('#text', 'x').then(() => page.click('#paste-submit'))],
  [`/users/${user.id}/metadata/${segment('settings')}`, (page) => page.click('#reveal')],
  [`/users/${user.id}/metadata/${segment('photo')}`, (page) => page.click('#reveal')],
  [`/users/${user.id}/metadata/${segment(longKey)}`],
  [
    `/users/${user.id}/metadata/new`,
    async (page) => {
      await page.fill('#key', 'settings')
      await page.fill('#value', 'mine')
      await page.click('#value-submit')
      await page.waitForSelector('#keep-theirs')
    },
  ],
  [`/users/${user.id}/preview?client=${idp.web.clientId}&scope=urn:zitadel:iam:user:metadata`],
  [`/users/${user.id}/custom-data`],
  [`/users/${user.id}/custom-data/${idp.app.id}`, (page) => page.fill('#document', '{').then(() => page.click('#document-submit'))],
]

async function seedPeople({ domain: { users, metadata } }: Place) {
  const robot = await users.create({ kind: 'machine', username: 'robot', profile: { displayName: 'Robot' } }, system)
  await users.createKey(robot.id, {}, system)
  await users.createToken(robot.id, { name: 'a name without a place to break '.repeat(4).replaceAll(' ', '') }, system)
  const at = new Date().toISOString()
  const identity = { app: 'x', provider: 'oauth2-google', key: 'g', id: '118273', data: { name: 'Jane', link: 'x'.repeat(300) } }
  const user = await users.create(
    {
      ...person({ username: 'looked-at' }),
      password: undefined,
      identities: [{ ...identity, createdAt: at, usedAt: at }],
      metadata: [],
    },
    system,
  )
  await metadata.set(
    user.id,
    [
      { key: 'settings', value: Buffer.from('{"theme":"dark"}') },
      { key: 'photo', value: png },
      { key: 'bytes', value: Buffer.from([0, 255, 1]) },
      { key: longKey, value: Buffer.from('x'.repeat(700)) },
    ],
    system,
  )
  return { user, robot }
}

describe.skipIf(withoutChromium !== undefined)(`in Chromium${withoutChromium ? ` (${withoutChromium})` : ''}`, () => {
  let chromium: Chromium
  beforeAll(async () => {
    chromium = await startChromium()
  })
  afterAll(() => chromium[Symbol.asyncDispose]())

  for (const [where, viewport, javaScriptEnabled] of [
    ['on a phone', { width: 390, height: 844 }, true],
    ['on a desk', { width: 1280, height: 900 }, true],
    ['without JavaScript', { width: 390, height: 844 }, false],
  ] as const) {
    test(`a manager does everything about users ${where}`, async () => {
      await using idp = await start()
      const page = await chromium.newPage({ viewport, javaScriptEnabled })
      page.setDefaultTimeout(15_000)
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      await work(page, idp, javaScriptEnabled)
      expect(complaints.filter((text) => /Content Security Policy|refused/i.test(text))).toEqual([])
    })
  }

  for (const { name, options } of [...looks, { name: 'a small phone', options: { ...narrow, locale: 'de-DE' } }]) {
    test(`everybody can use every page on ${name}`, async () => {
      await using idp = await start()
      const { user, robot } = await seedPeople(idp)
      const page = await chromium.newPage({ ...options, bypassCSP: true })
      await openSignedIn(page, idp, '/console', idp.admin.username)
      for (const [path, open] of pages(user, robot, idp)) {
        await page.goto(idp.url(`/console${path}`).href)
        await open?.(page)
        expect(Buffer.byteLength(await page.content()), path).toBeLessThan(60_000)
        await expectUsable(page, path)
      }
    })
  }

  test('the list shows what was typed last, whichever answer comes first', async () => {
    await using idp = await start()
    await idp.domain.users.create(person({ username: 'wile', profile: { displayName: 'Wile E. Coyote' } }), system)
    await idp.domain.users.create(person({ username: 'road', profile: { displayName: 'Road Runner' } }), system)
    const page = await chromium.newPage()
    await openSignedIn(page, idp, '/console/users', idp.admin.username)
    let answer = () => {}
    const held = new Promise<void>((resolve) => {
      answer = resolve
    })
    await page.route(/q=wile/, async (route) => {
      await held
      await route.continue()
    })
    const asked = page.waitForRequest(/q=wile/)
    await page.fill('#q', 'wile')
    await asked
    await page.fill('#q', 'road')
    await page.waitForSelector('#found >> text=Road Runner')
    answer()
    await page.waitForTimeout(500)
    expect([new URL(page.url()).searchParams.get('q'), await page.locator('#found >> text=Wile').count()]).toEqual(['road', 0])
    expect(await page.locator('#found >> text=Road Runner').count()).toBe(1)
  })

  test('forty payloads stay text on every page about users', async () => {
    expect(payloads.length).toBeGreaterThanOrEqual(40)
    await using idp = await start()
    const page = await chromium.newPage()
    page.on('dialog', () => expect.fail('a script has run'))
    await openSignedIn(page, idp, '/console', idp.admin.username)
    for (const [index, payload] of payloads.entries()) {
      const requests = await soiled(idp, payload, index)
      const csrf = await page.inputValue('input[name=csrf]')
      const found = await page.evaluate(lookThrough, { requests, csrf, payload })
      expect(found, payload).toEqual([])
    }
    // And with scripts running on them.
    const [payload = ''] = payloads
    for (const { path, form } of await soiled(idp, payload, payloads.length)) if (!form) await page.goto(idp.url(path).href)
  })
})

/** Puts a payload wherever somebody else may put a text, and tells where it is shown. */
async function soiled({ domain: { users, metadata, catalogue, stores }, project, web, app, admin }: Place, payload: string, index: number) {
  const at = new Date().toISOString()
  await catalogue.commit({
    putProjects: [{ ...project, name: payload, roles: [{ key: payload, displayName: payload }] }],
    putApplications: [{ ...web, name: payload }],
    events: [],
  })
  const profile = Object.fromEntries(
    ['displayName', 'givenName', 'familyName', 'nickName', 'gender', 'phone'].map((name) => [name, payload]),
  )
  const user = await users.create(
    {
      kind: 'human',
      username: `${index} ${payload}`,
      profile: { ...profile, address: { formatted: payload } },
      roles: { [project.id]: [payload] },
      identities: [
        { app: payload, provider: payload, key: `${index}`, id: payload, data: { [payload]: payload }, createdAt: at, usedAt: at },
      ],
      metadata: [{ key: payload, value: Buffer.from(payload) }],
    },
    { kind: 'cli', name: payload },
  )
  const robot = await users.create(
    { kind: 'machine', username: `robot ${index} ${payload}`, profile: { displayName: payload, description: payload } },
    system,
  )
  await users.createToken(robot.id, { name: payload }, system)
  await stores.artifacts.put({
    model: 'Session',
    id: `session-${index}`,
    payload: {
      jti: `session-${index}`,
      uid: payload,
      accountId: user.id,
      exp: 9e9,
      loginTs: 1,
      amr: [payload],
      agent: payload,
      authorizations: { [web.clientId]: {}, [payload]: {} },
    },
    uid: payload,
    accountId: user.id,
  })
  await stores.artifacts.put({
    model: 'Grant',
    id: `grant-${index}`,
    payload: { jti: `grant-${index}`, clientId: payload, accountId: user.id, openid: { scope: payload, claims: [payload] } },
    accountId: user.id,
  })
  const { sequence } = await metadata.get(user.id, payload)
  const base = `/console/users/${user.id}`
  const entry = `${base}/metadata/${segment(payload)}`
  const query = encodeURIComponent(payload)
  const requests: readonly Asked[] = [
    { path: '/console/users?state=active', isShown: true },
    { path: `/console/users?q=${query}&key=${query}&value=${query}`, isShown: true },
    { path: `/console/users?state=${query}&kind=${query}&after=${query}&done=${query}` },
    { path: '/console/users/new', form: { displayName: payload, email: payload }, isShown: true },
    { path: base, isShown: true },
    { path: `${base}/edit`, isShown: true },
    { path: `${base}/edit`, form: { displayName: payload, username: payload }, isShown: true },
    { path: `${base}/remove`, isShown: true },
    { path: `${base}/remove`, form: { typed: payload }, isShown: true },
    { path: `${base}/password`, isShown: true },
    { path: `${base}/roles`, isShown: true },
    { path: `${base}/roles/${project.id}`, isShown: true },
    { path: `${base}/roles/${project.id}`, form: { role: `${payload}x` } },
    { path: `${base}/roles/${query}` },
    { path: `${base}/rights`, isShown: true },
    { path: `${base}/sessions`, isShown: true },
    { path: `/console/users/${robot.id}`, isShown: true },
    { path: `/console/users/${robot.id}/credentials`, isShown: true },
    { path: `/console/users/${robot.id}/credentials/token`, form: { name: payload, expires: payload }, isShown: true },
    { path: `/console/users/${robot.id}/credentials/token`, form: { name: payload }, isShown: true },
    { path: `${base}/identities`, isShown: true },
    { path: `${base}/history?before=${query}` },
    { path: `${base}/history`, isShown: true },
    { path: `${base}/metadata`, isShown: true },
    { path: `${base}/metadata`, form: { after: '' }, isShown: true },
    { path: `${base}/metadata?after=${query}` },
    { path: entry, isShown: true },
    { path: `${entry}/reveal`, form: {}, isShown: true },
    { path: `${entry}/remove/${sequence}`, isShown: true },
    { path: entry, form: { form: 'json', value: `{${payload}`, sequence: '1' }, isShown: true },
    { path: entry, form: { form: 'text', value: `${payload} ${payload}`, sequence: '999' }, isShown: true },
    { path: `${base}/metadata/new`, form: { key: `${payload}${'k'.repeat(200)}`, form: 'text', value: payload }, isShown: true },
    { path: `${base}/metadata/paste`, form: { text: `${payload}=${payload}\n${payload}=2\n${payload}` }, isShown: true },
    { path: `${base}/preview?client=${query}&scope=${query}` },
    { path: `${base}/preview?client=${web.clientId}&scope=profile&scope=user_metadata&scope=urn:zitadel:iam:user:metadata`, isShown: true },
    { path: `${base}/custom-data/${app.id}`, form: { document: `{"owner": ${payload}`, mark: payload }, isShown: true },
    {
      path: `${base}/custom-data/${app.id}`,
      form: { document: JSON.stringify({ owner: user.id, [`k${payload.replaceAll('$', '')}`]: payload }), mark: '' },
    },
    { path: `${base}/custom-data`, isShown: true },
    { path: `${base}/custom-data/${app.id}`, isShown: true },
    {
      path: `${base}/custom-data/${app.id}`,
      form: { document: JSON.stringify({ owner: user.id, x: payload }), mark: 'other' },
      isShown: true,
    },
    { path: `/console/users/${admin.id}` },
  ]
  return requests
}
