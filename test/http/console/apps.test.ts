/** The console's pages of App Services apps, as programs see them: who may do what, what is never shown, and what others changed meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser, Page } from '../../support/browser.ts'
import { password, person } from '../../support/idp.ts'
import { dataSourceFiles, functionFiles, type Place, providersFile, startPlace } from '../appservices/place.ts'

const system = { kind: 'system' } as const

const files = {
  ...providersFile({
    'anon-user': {},
    'oauth2-google': { config: { clientId: 'client', odd: 'kept' }, secret_config: { clientSecret: 'google' } },
  }),
  ...dataSourceFiles,
  ...functionFiles({ note: 'exports = () => 1', spare: 'exports = () => 2\r\n' }, { note: { private: true } }),
  'triggers/came.json': { name: 'came', type: 'AUTHENTICATION', function_name: 'note', config: { operation_type: 'CREATE' } },
  'values/limit.json': { name: 'limit', value: 10 },
}

async function start(options: Parameters<typeof startPlace>[1] = {}) {
  const place = await startPlace(files, options)
  await place.domain.apps.setSecret(place.app.id, 'google', 'what nobody may see', system)
  return Object.assign(place, { base: `/console/apps/${place.app.id}` })
}

type Started = Awaited<ReturnType<typeof start>>

/** A browser in which somebody with these roles of Dossier's own project has signed in to the console. */
async function browserOf(place: Place, roles: readonly string[] | 'admin'): Promise<Browser> {
  const { ownProjectId } = await place.domain.catalogue.root()
  const { username } = await place.domain.users.create(
    person({ ...(roles === 'admin' ? { admin: true } : { roles: { [ownProjectId]: [...roles] } }) }),
    system,
  )
  const browser = place.browser()
  await browser.submit(await browser.open('/console/apps'), '/login', { username, password })
  return browser
}

const csrfOf = (page: Page) => /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''

const kept = async ({ domain, app }: Place) => {
  const { files: now, secrets } = (await domain.apps.get(app.id)).app
  return JSON.stringify([now, secrets])
}

const reading = (base: string) => [
  '/console/apps',
  ...['', '/providers', '/providers/oauth2-google', '/providers/anon-user', '/custom-user-data', '/functions', '/function?name=note'].map(
    (path) => base + path,
  ),
  ...['/triggers', '/trigger?name=came', '/values', '/value?name=limit'].map((path) => base + path),
]

const writing = (base: string) => [
  '/console/apps/new',
  ...['/functions/new', '/triggers/new', '/values/new', '/secret', '/secret?name=google', '/secret/remove?name=google'].map(
    (path) => base + path,
  ),
  ...['/remove', '/function/remove?name=spare', '/trigger/remove?name=came', '/value/remove?name=limit'].map((path) => base + path),
  `${base}/providers/anon-user/remove`,
]

const posts = (base: string) => [
  ...writing(base),
  ...['/providers/oauth2-google', '/custom-user-data', '/custom-user-data/creation', '/function?name=note', '/trigger?name=came'].map(
    (path) => base + path,
  ),
  ...['/trigger/retry?name=came', '/value?name=limit'].map((path) => base + path),
]

describe('who may do what', () => {
  let place: Started
  beforeAll(async () => {
    place = await start()
  })
  afterAll(() => place[Symbol.asyncDispose]())

  const statuses = async (browser: Browser, addresses: readonly string[], form?: Readonly<Record<string, string>>) => {
    const found: number[] = []
    for (const address of addresses) found.push((await browser.open(address, form)).status)
    return [...new Set(found)]
  }

  test('whoever has not signed in is asked to, and sends nothing', async () => {
    const before = await kept(place)
    for (const address of [...reading(place.base), ...writing(place.base)])
      expect((await place.browser().open(address)).text, address).toContain('id="login-submit"')
    expect(await statuses(place.browser(), posts(place.base), { csrf: 'x' })).toEqual([401])
    expect(await kept(place)).toBe(before)
  })

  test.each([
    ['no role', []],
    ['ORG_OWNER', ['ORG_OWNER']],
    ['ORG_USER_MANAGER', ['ORG_USER_MANAGER']],
  ])('with %s nothing of apps is seen or done', async (_, roles) => {
    const before = await kept(place)
    const browser = await browserOf(place, roles)
    const home = await browser.open('/console')
    expect(home.text).not.toContain('/console/apps')
    expect(await statuses(browser, [...reading(place.base), ...writing(place.base)])).toEqual([403])
    expect(await statuses(browser, posts(place.base), { csrf: csrfOf(home), typed: 'myapp-abcde' })).toEqual([403])
    expect(await kept(place)).toBe(before)
  })

  test('who may see everything sees apps, and changes none', async () => {
    const before = await kept(place)
    const browser = await browserOf(place, ['IAM_OWNER_VIEWER'])
    expect(await statuses(browser, reading(place.base))).toEqual([200])
    expect((await browser.open(place.base)).text).toContain('href="/console/apps" aria-current="page"')
    expect(await statuses(browser, writing(place.base))).toEqual([403])
    const home = await browser.open('/console')
    expect(await statuses(browser, posts(place.base), { csrf: csrfOf(home), typed: 'myapp-abcde' })).toEqual([403])
    for (const address of reading(place.base))
      expect((await browser.open(address)).text, address).not.toMatch(/<button(?![^>]* hidden)(?![^>]*class="link")/)
    expect(await kept(place)).toBe(before)
  })

  test('an administrator sees every page, none of them heavy, and sends nothing without a form of ours', async () => {
    const before = await kept(place)
    const browser = await browserOf(place, 'admin')
    for (const address of [...reading(place.base), ...writing(place.base)]) {
      const page = await browser.open(address)
      expect(page.status, address).toBe(200)
      expect(page.text, address).toContain('href="/console/apps" aria-current="page"')
      expect(page.text.length, address).toBeLessThan(60_000)
      expect(page.text, address).not.toContain('what nobody may see')
      expect(page.text, address).not.toMatch(/ style=|<style|<script(?![^>]* src=)/)
    }
    const stranger = await browserOf(place, 'admin')
    const foreign = csrfOf(await stranger.open('/console'))
    for (const csrf of ['', 'x', foreign]) expect(await statuses(browser, posts(place.base), { csrf, typed: 'myapp-abcde' })).toEqual([403])
    expect(await kept(place)).toBe(before)
  })

  test('what is not there is not found, by page and by form', async () => {
    const browser = await browserOf(place, 'admin')
    const csrf = csrfOf(await browser.open('/console'))
    const missing = ['/function', '/trigger', '/value'].map((path) => `${place.base}${path}?name=constructor`)
    const more = [
      `${place.base}/providers/constructor`,
      `${place.base}/providers/oauth2-__proto__`,
      '/console/apps/000000000000000000000000',
    ]
    expect(await statuses(browser, [...missing, ...more])).toEqual([404])
    expect(await statuses(browser, [...missing, ...more.slice(0, 2)], { csrf })).toEqual([404])
    expect(await statuses(browser, [`${place.base}/secret/remove?name=constructor`, `${place.base}/secret?name=constructor`])).toEqual([
      404,
    ])
  })
})

test('secrets are set and removed, and apps removed, only by whoever proved a moment ago who they are', async () => {
  let shift = 0
  await using place = await start({ now: () => new Date(Date.now() + shift) })
  const browser = await browserOf(place, 'admin')
  const form = await browser.open(`${place.base}/secret?name=google`)
  shift = 6 * 60_000
  const late = await browser.submit(form, '/secret?name=google', { value: 'another' })
  expect(late.text).toContain('id="login-submit"')
  for (const path of ['/secret', '/secret/remove?name=google', '/remove', '/function/remove?name=spare'])
    expect((await browser.open(place.base + path)).text, path).toContain('id="login-submit"')
  expect(place.domain.apps.secretOf(await place.domain.apps.get(place.app.id), 'google')).toBe('what nobody may see')
})

test('a secret is set as it was typed, and stands in no page and no event', async () => {
  await using place = await start()
  const browser = await browserOf(place, 'admin')
  const pem = '-----BEGIN KEY-----\r\nabc\r\n-----END KEY-----\r\n'
  const done = await browser.submit(await browser.open(`${place.base}/secret`), '/secret', { name: 'pem', value: pem })
  expect(done.text).toContain('pem')
  expect(done.text).not.toContain('BEGIN KEY')
  const view = await place.domain.apps.get(place.app.id)
  expect(place.domain.apps.secretOf(view, 'pem')).toBe('-----BEGIN KEY-----\nabc\n-----END KEY-----')
  const events = await place.domain.stores.audit.list({ kind: 'app', id: place.app.id }, { limit: 20 })
  expect(JSON.stringify(events)).not.toContain('BEGIN KEY')
  expect(place.log.join('')).not.toContain('BEGIN KEY')

  await browser.submit(await browser.open(`${place.base}/secret/remove?name=pem`), '/secret/remove?name=pem')
  expect(Object.keys((await place.domain.apps.get(place.app.id)).app.secrets)).toEqual(['google'])
})

describe('changes', () => {
  let place: Started
  let browser: Browser
  beforeAll(async () => {
    place = await start()
    browser = await browserOf(place, 'admin')
  })
  afterAll(() => place[Symbol.asyncDispose]())
  const view = () => place.domain.apps.get(place.app.id)

  test('an app of a name is made, with an id of its own, and a wrong name is said at its field', async () => {
    const refused = await browser.submit(await browser.open('/console/apps/new'), '/apps/new', { name: '1 app' })
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('id="name-fault"')
    const made = await browser.submit(refused, '/apps/new', { name: 'Second' })
    expect(made.text).toMatch(/id="client-app-id">second-[a-z]{5}</)
  })

  test('a provider keeps what no field is about, and what is wrong is said at its field with nothing changed', async () => {
    const page = await browser.open(`${place.base}/providers/oauth2-google`)
    const fields = { enabled: 'on', 'config.clientId': 'next', 'secret_config.clientSecret': 'google', rows: '1' }
    const refused = await browser.submit(page, '/oauth2-google', { ...fields, 'config.issuer': 'ftp://wrong' })
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('id="config.issuer-fault"')
    expect(refused.text).toContain('value="next"')
    expect((await view()).configuration.providers.get('oauth2-google')?.config?.clientId).toBe('client')
    await browser.submit(refused, '/oauth2-google', {
      ...fields,
      'metadata_fields.0.name': 'email',
      'metadata_fields.0.required': 'on',
      redirect_uris: 'https://a.example/\r\nhttps://b.example/\r\n',
      domain_restrictions: 'acme.example',
    })
    expect((await view()).configuration.providers.get('oauth2-google')).toEqual({
      name: 'oauth2-google',
      type: 'oauth2-google',
      disabled: false,
      config: { clientId: 'next', odd: 'kept' },
      secret_config: { clientSecret: 'google' },
      metadata_fields: [{ name: 'email', required: true }],
      redirect_uris: ['https://a.example/', 'https://b.example/'],
      domain_restrictions: ['acme.example'],
    })
  })

  test('choices that exclude each other set the flags of the file', async () => {
    const path = `${place.base}/providers/local-userpass`
    const chosen = { enabled: 'on', confirmation: 'function', reset: 'function', 'config.confirmationFunctionName': 'note' }
    const done = await browser.submit(await browser.open(path), '/local-userpass', { ...chosen, 'config.resetFunctionName': 'note' })
    expect(done.text).toMatch(/<option value="function" selected>/)
    expect((await view()).configuration.providers.get('local-userpass')?.config).toEqual({
      autoConfirm: false,
      runConfirmationFunction: true,
      confirmationFunctionName: 'note',
      runResetFunction: true,
      resetFunctionName: 'note',
    })
  })

  test('a form of what somebody else has changed meanwhile shows both, and overwrites nothing until it is sent again', async () => {
    const page = await browser.open(`${place.base}/function?name=note`)
    await place.domain.apps.editFiles(place.app.id, () => ({ 'functions/note.js': 'exports = () => "theirs"' }), system)
    const mine = 'exports = () => "mine"'
    const both = await browser.submit(page, '/function?name=note', { source: mine, private: 'on' })
    expect(both.status).toBe(400)
    expect(both.text).toContain('id="conflict"')
    expect(both.text).toContain('&quot;theirs&quot;')
    expect(both.text).toContain('&quot;mine&quot;')
    expect((await view()).configuration.functions.get('note')?.source).toContain('theirs')
    await browser.submit(both, '/function?name=note', { source: mine, private: 'on' })
    expect((await view()).configuration.functions.get('note')?.source).toBe(mine)
  })

  test.each([
    ['/providers/oauth2-google', '/oauth2-google', { 'auth/providers.json': '{}' }, { enabled: 'on' }],
    [
      '/trigger?name=came',
      '/trigger?name=came',
      { 'triggers/came.json': undefined },
      { function_name: 'note', 'config.operation_type': 'LOGIN' },
    ],
    ['/value?name=limit', '/value?name=limit', { 'values/limit.json': '{"value":11}' }, { kind: 'json', value: '12' }],
    ['/custom-user-data', '/custom-user-data', { 'auth/custom_user_data.json': '{"enabled":false,"odd":1}' }, { database_name: 'x' }],
  ])('so it is with %s', async (path, action, theirs, mine) => {
    const page = await browser.open(place.base + path)
    await place.domain.apps.editFiles(place.app.id, () => theirs as Record<string, string | undefined>, system)
    const before = await kept(place)
    expect([400, 404]).toContain((await browser.submit(page, action, mine)).status)
    expect(await kept(place)).toBe(before)
  })

  test('line ends stay as they were in the folder', async () => {
    const path = '/function?name=spare'
    await browser.submit(await browser.open(place.base + path), path, { source: 'exports = () => 3\r\n// more\r\n' })
    expect((await view()).configuration.functions.get('spare')?.source).toBe('exports = () => 3\r\n// more\r\n')
    await browser.submit(await browser.open(`${place.base}/function?name=note`), '/function?name=note', { source: 'exports =\r\n () => 3' })
    expect((await view()).configuration.functions.get('note')?.source).toBe('exports =\n () => 3')
  })

  test('a value is written into its own file, whatever its name is', async () => {
    const name = '../../outside'
    await place.domain.apps.editFiles(place.app.id, () => ({ 'values/odd.json': JSON.stringify({ name, value: 'a' }) }), system)
    const before = Object.keys((await view()).app.files)
    const path = `/value?name=${encodeURIComponent(name)}`
    await browser.submit(await browser.open(place.base + path), path, { kind: 'text', value: 'b' })
    expect((await view()).configuration.values.get(name)?.value).toBe('b')
    expect(Object.keys((await view()).app.files)).toEqual(before)
    const remove = `/value/remove?name=${encodeURIComponent(name)}`
    await browser.submit(await browser.open(place.base + remove), remove)
    expect((await view()).app.files).not.toHaveProperty(['values/odd.json'])
  })

  test('a function that is in use stays, and the page says by whom', async () => {
    await browser.submit(await browser.open(`${place.base}/triggers/new?type=SCHEDULED`), '/triggers/new', {
      name: 'nightly',
      enabled: 'on',
      function_name: 'note',
      'config.schedule': '0 3 * * *',
    })
    const refused = await browser.submit(await browser.open(`${place.base}/function/remove?name=note`), '/function/remove?name=note')
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('triggers/nightly.json: function_name')
    expect((await view()).configuration.functions.has('note')).toBe(true)
  })

  test('a schedule that is none is said at its field', async () => {
    const refused = await browser.submit(await browser.open(`${place.base}/trigger?name=nightly`), '/trigger?name=nightly', {
      function_name: 'note',
      'config.schedule': 'every night',
    })
    expect(refused.text).toContain('id="config.schedule-fault"')
    expect(refused.text).toContain('value="every night"')
  })
})

test('the overview counts what was given up of the triggers that there are, by app', async () => {
  await using place = await start()
  const tasks = place.domain.triggerTasks
  for (const [id, trigger] of [
    ['1', 'came'],
    ['2', 'came'],
    ['3', 'went'],
  ] as const)
    await tasks.bury({ id, app: place.app.id, trigger, failures: 6, notBefore: 0 }, 'no thanks', new Date())
  await tasks.bury({ id: '4', app: 'another', trigger: 'came', failures: 6, notBefore: 0 }, 'no thanks', new Date())
  const browser = await browserOf(place, 'admin')
  const { text } = await browser.open('/console')
  const told = text.match(/<a href="\/console\/apps\/[^"]*">[^<]*<\/a>/g) ?? []
  expect(told).toHaveLength(1)
  expect(told[0]).toContain(place.base)
  expect(told[0]).toMatch(/\b2\b/)
})

const payloads = [
  '<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '</textarea><script>alert(1)</script>',
  '</title><svg onload=alert(1)>',
  '" onfocus="alert(1)" autofocus="',
  "' onmouseover='alert(1)",
  '</option></select><iframe src=javascript:alert(1)>',
  'javascript:alert(1)//"<b>',
  '<%= process.env %>"<',
  '&lt;script&gt;"<script>',
  '{{constructor.constructor("alert(1)")()}}<x>',
]

test('a dozen payloads in every name, function and value stay text, kept and typed', async () => {
  await using place = await start()
  const browser = await browserOf(place, 'admin')
  for (const payload of payloads) {
    await place.push({
      'realm_config.json': { app_id: 'myapp-abcde', name: payload },
      ...dataSourceFiles,
      'data_sources/odd/config.json': { name: payload, type: 'mongodb-atlas' },
      ...providersFile({
        'oauth2-google': {
          config: { clientId: payload },
          secret_config: { clientSecret: payload },
          metadata_fields: [{ name: payload, required: true }],
          redirect_uris: [payload],
          domain_restrictions: [payload],
        },
        'custom-token': { config: { audience: [payload] }, secret_config: { signingKeys: [payload] } },
      }),
      'auth/custom_user_data.json': { enabled: false, database_name: payload, collection_name: payload, user_id_field: payload },
      ...functionFiles({ note: payload }, { note: { can_evaluate: { '%%user.id': payload } } }),
      'triggers/odd.json': { name: payload, type: 'SCHEDULED', function_name: 'note', config: { schedule: '0 3 * * *' } },
      'triggers/data.json': { name: 'data', type: 'DATABASE', function_name: 'note', config: { odd: payload } },
      'values/odd.json': { name: payload, value: payload },
      'values/secret.json': { name: 'secret', value: payload, from_secret: true },
      [`hosting/files/${payload.replaceAll('/', '')}`]: 'x',
    })
    const at = new Date()
    await place.domain.triggerTasks.bury({ id: payload, app: place.app.id, trigger: payload, failures: 1, notBefore: 0 }, payload, at)
    place.domain.triggerRuns.note(place.app.id, payload, { at: at.toISOString(), milliseconds: 1, attempt: 1, reason: payload })
    await place.domain.triggerRuns.write()
    const named = (path: string, name: string) => `${path}?name=${encodeURIComponent(name)}`
    const shown = [
      ...[
        '',
        '/providers',
        '/providers/oauth2-google',
        '/providers/custom-token',
        '/custom-user-data',
        '/functions',
        '/triggers',
        '/values',
      ],
      ...[named('/function', 'note'), named('/trigger', payload), named('/trigger', 'data'), named('/value', payload)],
      ...[named('/secret', payload), named('/trigger/remove', payload), named('/value/remove', payload), '/remove'],
    ]
    for (const path of shown) {
      const page = await browser.open(place.base + path)
      expect(page.status, path).toBe(200)
      expect(page.text, path).toContain('href="/console/apps" aria-current="page"')
      expect(page.text, path).not.toContain(payload)
      expect(page.text, path).not.toMatch(/href="javascript:|<%/)
    }
    const csrf = csrfOf(await browser.open('/console/apps'))
    const typed = [
      ['/console/apps/new', { name: payload }],
      [
        `${place.base}/providers/oauth2-google`,
        { action: 'add-row', rows: '1', 'config.clientId': payload, 'metadata_fields.0.name': payload },
      ],
      [`${place.base}/providers/custom-function`, { 'config.authFunctionName': payload }],
      [`${place.base}/custom-user-data`, { database_name: payload, mongo_service_name: payload, on_user_creation_function_name: payload }],
      [`${place.base}/functions/new`, { name: payload, source: payload }],
      [`${place.base}/triggers/new`, { name: payload, function_name: payload, 'config.schedule': payload, type: 'SCHEDULED' }],
      [`${place.base}/values/new`, { name: payload, kind: payload, value: payload }],
      [`${place.base}/secret`, { name: payload, value: '' }],
    ] as const
    for (const [path, form] of typed) {
      const page = await browser.open(path, { csrf, mark: payload, ...form })
      expect([200, 400], path).toContain(page.status)
      expect(page.text, path).not.toContain(payload)
    }
  }
})
