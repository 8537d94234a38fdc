/** Who sees and who may send what of the pages about users, page by page; and that nobody gets at those who may do more than they. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { User } from '#src/domain/users/user.ts'
import { consoleEndpoints } from '#src/http/console/console.ts'
import type { Browser } from '../../support/browser.ts'
import { consoleBrowser, newManager } from '../../support/consolePeople.ts'
import { type Idp, person, startIdp } from '../../support/idp.ts'

const system = { kind: 'system' } as const
const visitors = ['nobody', 'nothing', 'IAM_OWNER_VIEWER', 'PROJECT_OWNER', 'ORG_USER_MANAGER', 'IAM_OWNER'] as const
type Visitor = (typeof visitors)[number]

const managers = ['ORG_USER_MANAGER', 'IAM_OWNER'] as const
const readers = ['IAM_OWNER_VIEWER', ...managers] as const
const granters = ['PROJECT_OWNER', ...managers] as const

interface Route {
  readonly may: readonly Visitor[]
  /** Whether it is for those only who may change the user. */
  readonly changes?: boolean
  readonly of?: 'person' | 'machine'
}

/** Every address of the pages about users. `:id` and the rest stand for things that are there. */
const routes: Readonly<Record<string, Route>> = {
  'GET /users': { may: readers },
  'GET /users/new': { may: managers },
  'POST /users/new': { may: managers },
  'GET /users/:id': { may: readers },
  'GET /users/:id/edit': { may: managers, changes: true },
  'POST /users/:id/edit': { may: managers, changes: true },
  'POST /users/:id/state': { may: managers, changes: true },
  'GET /users/:id/remove': { may: managers, changes: true },
  'POST /users/:id/remove': { may: managers, changes: true },
  'GET /users/:id/password': { may: managers, changes: true, of: 'person' },
  'POST /users/:id/password': { may: managers, changes: true, of: 'person' },
  'GET /users/:id/password/link': { may: managers, changes: true, of: 'person' },
  'POST /users/:id/password/link': { may: managers, changes: true, of: 'person' },
  'GET /users/:id/roles': { may: ['IAM_OWNER_VIEWER', ...granters] },
  'GET /users/:id/roles/:project': { may: granters, changes: true },
  'POST /users/:id/roles/:project': { may: granters, changes: true },
  'POST /users/:id/roles/:project/state': { may: granters, changes: true },
  'POST /users/:id/roles/:project/remove': { may: granters, changes: true },
  'GET /users/:id/rights': { may: granters, changes: true },
  'POST /users/:id/rights': { may: granters, changes: true },
  'GET /users/:id/sessions': { may: readers },
  'POST /users/:id/sessions/end': { may: managers, changes: true },
  'GET /users/:id/sessions/end-all': { may: managers, changes: true },
  'POST /users/:id/sessions/end-all': { may: managers, changes: true },
  'POST /users/:id/sessions/revoke': { may: managers, changes: true },
  'GET /users/:id/credentials': { may: readers },
  'GET /users/:id/credentials/token': { may: managers, changes: true, of: 'machine' },
  'POST /users/:id/credentials/token': { may: managers, changes: true, of: 'machine' },
  'GET /users/:id/credentials/key': { may: managers, changes: true, of: 'machine' },
  'POST /users/:id/credentials/key': { may: managers, changes: true, of: 'machine' },
  'GET /users/:id/credentials/secret': { may: managers, changes: true, of: 'machine' },
  'POST /users/:id/credentials/secret': { may: managers, changes: true, of: 'machine' },
  'GET /users/:id/credentials/secret/remove': { may: managers, changes: true, of: 'machine' },
  'POST /users/:id/credentials/secret/remove': { may: managers, changes: true, of: 'machine' },
  'GET /users/:id/credentials/key/:key/remove': { may: managers, changes: true, of: 'machine' },
  'POST /users/:id/credentials/key/:key/remove': { may: managers, changes: true, of: 'machine' },
  'GET /users/:id/credentials/token/:token/revoke': { may: managers, changes: true, of: 'machine' },
  'POST /users/:id/credentials/token/:token/revoke': { may: managers, changes: true, of: 'machine' },
  'GET /users/:id/identities': { may: readers },
  'GET /users/:id/identities/:identity/remove': { may: managers, changes: true },
  'POST /users/:id/identities/:identity/remove': { may: managers, changes: true },
  'GET /users/:id/history': { may: readers },
  'GET /users/:id/metadata': { may: readers },
  'POST /users/:id/metadata': { may: readers },
  'GET /users/:id/metadata/paste': { may: managers, changes: true },
  'POST /users/:id/metadata/paste': { may: managers, changes: true },
  'GET /users/:id/metadata/new': { may: managers, changes: true },
  'POST /users/:id/metadata/new': { may: managers, changes: true },
  'GET /users/:id/metadata/:key': { may: readers },
  'POST /users/:id/metadata/:key': { may: managers, changes: true },
  'POST /users/:id/metadata/:key/reveal': { may: readers },
  'POST /users/:id/metadata/:key/download': { may: readers },
  'GET /users/:id/metadata/:key/image': { may: readers },
  'GET /users/:id/metadata/:key/remove/:sequence': { may: managers, changes: true },
  'POST /users/:id/metadata/:key/remove/:sequence': { may: managers, changes: true },
  'GET /users/:id/preview': { may: readers },
  'POST /users/:id/preview': { may: readers },
  'GET /users/:id/custom-data': { may: readers },
  'GET /users/:id/custom-data/:app': { may: managers, changes: true },
  'POST /users/:id/custom-data/:app': { may: managers, changes: true },
  'GET /users/:id/custom-data/:app/file': { may: readers },
}

let idp: Idp
let appId: string
const people = new Map<Visitor, { readonly user?: User; readonly browser: Browser }>()
beforeAll(async () => {
  idp = await startIdp()
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
  const files = new Map(Object.entries(folder).map(([path, value]) => [path, Buffer.from(JSON.stringify(value))]))
  appId = (await idp.domain.apps.push('myapp-abcde', files, system)).app.id
  for (const visitor of visitors) {
    if (visitor === 'nobody') {
      people.set(visitor, { browser: idp.browser() })
      continue
    }
    const user = await newManager(idp, ...(visitor === 'nothing' ? [] : [visitor]))
    people.set(visitor, { user, browser: await consoleBrowser(idp, user) })
  }
})
afterAll(() => idp[Symbol.asyncDispose]())

const identity = { app: 'x', provider: 'anon-user', key: 'k', id: 'k', data: {}, createdAt: new Date().toISOString(), usedAt: '' }

const newTarget = (kind: 'person' | 'machine', given: Partial<Parameters<Idp['domain']['users']['create']>[0]> = {}) => {
  const shared = {
    username: `target-${Math.random()}`,
    metadata: [{ key: 'k', value: Buffer.from('v') }],
    identities: [{ ...identity, key: `${Math.random()}` }],
    roles: { [idp.project.id]: ['reader'] },
  }
  return idp.domain.users.create(
    kind === 'person'
      ? { ...person(shared), password: undefined, ...given }
      : { kind: 'machine', profile: { displayName: 'Robot' }, ...shared, ...given },
    system,
  )
}

/** What comes of a request, without following where it leads. */
async function send(browser: Browser, method: string, path: string, form: Readonly<Record<string, string>> = {}) {
  const reply = await fetch(idp.url(`/console${path}`), {
    method,
    redirect: 'manual',
    headers: { accept: 'text/html', cookie: browser.cookieHeader('/console') },
    ...(method === 'POST' && { body: new URLSearchParams(form) }),
  })
  return { status: reply.status, location: reply.headers.get('location') ?? '', text: await reply.text() }
}

async function csrfOf(visitor: Visitor): Promise<string> {
  const { browser } = people.get(visitor) ?? expect.unreachable()
  const { text } = await send(browser, 'GET', '')
  return /name="csrf" value="([^"]*)"/.exec(text)?.[1] ?? ''
}

const pathFor = (path: string, target: User) =>
  path
    .replace(':id', target.id)
    .replace(':project', idp.project.id)
    .replace(':identity', Buffer.from(JSON.stringify(['x', 'anon-user', 'k'])).toString('base64url'))
    .replace(':key', Buffer.from('k').toString('base64url'))
    .replace(':sequence', '1')
    .replace(':app', appId)

test('the table has every address there is', () => {
  const all = consoleEndpoints({} as never, {} as never).map(({ method, path }) => `${method} ${path.slice('/console'.length)}`)
  expect(Object.keys(routes).toSorted()).toEqual(all.filter((each) => each.includes(' /users')).toSorted())
})

describe.each(Object.entries(routes))('%s', (route, { may, of = 'person' }) => {
  const [method = '', path = ''] = route.split(' ')
  test.each(visitors)('%s', async (visitor) => {
    const { browser } = people.get(visitor) ?? expect.unreachable()
    const target = await newTarget(of)
    const csrf = await csrfOf(visitor)
    const { status, location } = await send(browser, method, pathFor(path, target), { csrf })
    if (visitor === 'nobody' && method === 'GET') {
      expect(status).toBe(303)
      expect(location).toContain('/oauth/v2/authorize')
    } else if (visitor === 'nobody') expect(status).toBe(401)
    else if (may.includes(visitor)) expect([401, 403, 500], `${status}`).not.toContain(status)
    else expect(status).toBe(403)
  })
})

const changing = Object.entries(routes).filter(([, { changes }]) => changes)

describe('whoever may do more', () => {
  test.each(changing.map(([route]) => route))('is not changed by a manager of users: %s', async (route) => {
    const [method = '', path = ''] = route.split(' ')
    const { browser } = people.get('ORG_USER_MANAGER') ?? expect.unreachable()
    const target = await newTarget(routes[route]?.of ?? 'person', { admin: true })
    const csrf = await csrfOf('ORG_USER_MANAGER')
    const form = { csrf, password: 'another password', again: 'another password', typed: target.username, move: 'deactivate', name: 'x' }
    expect((await send(browser, method, pathFor(path, target), form)).status).toBe(403)
    expect(await idp.domain.users.get(target.id)).toEqual(target)
    expect(await idp.domain.users.listTokens(target.id)).toEqual([])
  })

  test('is shown read-only', async () => {
    const { browser } = people.get('ORG_USER_MANAGER') ?? expect.unreachable()
    const target = await newTarget('person', { admin: true })
    for (const tab of ['', '/metadata', '/custom-data', '/roles', '/sessions', '/credentials', '/identities', '/history']) {
      const { status, text } = await send(browser, 'GET', `/users/${target.id}${tab}`)
      expect(status).toBe(200)
      expect(text).toContain('Read only')
      const forms = [...text.matchAll(/<form method="post" action="([^"]*)"/g)].map(([, action]) => action)
      expect(forms.filter((action) => action !== '/console/sign-out' && !action?.endsWith('/metadata'))).toEqual([])
    }
  })

  test('also while their rights are switched off', async () => {
    const { browser } = people.get('ORG_USER_MANAGER') ?? expect.unreachable()
    const { ownProjectId } = await idp.domain.catalogue.root()
    const target = await newTarget('person', { roles: { [ownProjectId]: ['IAM_OWNER'] } })
    await idp.domain.grants.deactivate(target.id, ownProjectId, system)
    const csrf = await csrfOf('ORG_USER_MANAGER')
    const form = { csrf, password: 'another password', again: 'another password' }
    expect((await send(browser, 'POST', `/users/${target.id}/password`, form)).status).toBe(403)
  })
})

describe('a form', () => {
  const post = Object.keys(routes).filter((each) => each.startsWith('POST'))
  test.each(post)('without what it was made with is not taken: %s', async (route) => {
    const { browser } = people.get('IAM_OWNER') ?? expect.unreachable()
    const path = route.split(' ')[1] ?? ''
    const target = await newTarget(routes[route]?.of ?? 'person')
    const foreign = await csrfOf('ORG_USER_MANAGER')
    for (const csrf of ['', 'made up', foreign]) {
      const { status, text } = await send(browser, 'POST', pathFor(path, target), { csrf, move: 'lock' })
      expect(status).toBe(403)
      expect(text).toContain('form_not_accepted')
    }
    expect(await idp.domain.users.get(target.id)).toEqual(target)
  })
})

test('what is dangerous asks who it is again after five minutes, and nothing of the form is done', async () => {
  let at = Date.now()
  await using old = await startIdp({ now: () => new Date(at) })
  const admin = await newManager(old, 'IAM_OWNER')
  const browser = await consoleBrowser(old, admin)
  const target = await old.domain.users.create(person({ username: 'target' }), system)
  const page = await browser.open(`/console/users/${target.id}/password`)
  const [, csrf = ''] = /name="csrf" value="([^"]*)"/.exec(page.text) ?? []
  at += 301_000
  for (const path of ['password', 'password/link', 'rights', 'remove']) {
    const url = old.url(`/console/users/${target.id}/${path}`)
    const headers = { accept: 'text/html', cookie: browser.cookieHeader('/console') }
    for (const body of [
      undefined,
      new URLSearchParams({ csrf, password: 'a new secret', again: 'a new secret', administrator: 'yes', typed: 'target' }),
    ]) {
      const reply = await fetch(url, { redirect: 'manual', headers, ...(body && { method: 'POST', body }) })
      expect(reply.status).toBe(303)
      expect(reply.headers.get('location')).toContain('prompt=login')
    }
  }
  expect(await old.domain.users.get(target.id)).toEqual(target)
})
