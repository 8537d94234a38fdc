/** What a reverse proxy is answered at `/forward-auth`, and what nobody gets through it. */
import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import type { Actor } from '#src/domain/audit/events.ts'
import { type Idp, person, startIdp } from '../support/idp.ts'
import { proxiedApplication, ReverseProxy } from '../support/proxy.ts'
import { signIn } from '../support/relyingParty.ts'
import { testStores } from '../support/stores.ts'

const origin = 'https://app.example'
const actor: Actor = { kind: 'system' }
const session = '__Host-dossier-forward'

/** A proxy in front of the web application, and Jane signed in through it. */
async function signedIn(idp: Idp, changes: Partial<Application> = {}) {
  const application = await proxiedApplication(idp, origin, changes)
  const proxy = new ReverseProxy(idp, application, origin)
  const browser = idp.browser()
  expect((await proxy.signIn(idp.jane.username, browser)).status).toBe(302)
  return { application, proxy, browser }
}

/** The `X-Dossier-*` headers of a reply. */
const told = (reply: Response) => Object.fromEntries([...reply.headers].filter(([name]) => name.startsWith('x-dossier-')))

/** The headers that a proxy is told of a user with this metadata, when it asks for these keys. */
async function toldOf(idp: Idp, metadata: Readonly<Record<string, string | Uint8Array>>, keys = Object.keys(metadata)) {
  const entries = Object.entries(metadata).map(([key, value]) => ({ key, value: Buffer.from(value) }))
  const user = await idp.domain.users.create(person({ metadata: entries }), actor)
  const application = await proxiedApplication(idp, origin, { forwardAuth: { metadata: keys } })
  const proxy = new ReverseProxy(idp, application, origin)
  await proxy.signIn(user.username)
  const reply = await proxy.check()
  expect(reply.status).toBe(200)
  const { 'x-dossier-user': _user, 'x-dossier-email': _email, ...rest } = told(reply)
  return rest
}

describe.each(testStores)('on $name', ({ make }) => {
  test('a proxy is told the user, the verified address, the roles and the metadata that its application asks for', async () => {
    await using idp = await startIdp({ store: make() })
    const { proxy } = await signedIn(idp)
    const reply = await proxy.check()
    expect(reply.status).toBe(200)
    expect(reply.headers.get('cache-control')).toBe('no-store')
    expect(await reply.text()).toBe('')
    expect(told(reply)).toEqual({
      'x-dossier-user': idp.jane.id,
      'x-dossier-email': 'jane@acme.example',
      'x-dossier-roles': 'reader',
      'x-dossier-metadata-contractnumber': '1234',
    })
  })

  test('a change of metadata, of roles or of the setting is in the next answer', async () => {
    await using idp = await startIdp({ store: make() })
    const { proxy, application } = await signedIn(idp)
    await idp.domain.metadata.set(idp.jane.id, [{ key: 'ContractNumber', value: Buffer.from('5678') }], actor)
    expect(told(await proxy.check())['x-dossier-metadata-contractnumber']).toBe('5678')
    await idp.domain.metadata.remove(idp.jane.id, ['ContractNumber'], actor)
    expect(told(await proxy.check())).not.toHaveProperty('x-dossier-metadata-contractnumber')
    await idp.domain.catalogue.commit({ putApplications: [{ ...application, forwardAuth: undefined }], events: [] })
    expect((await proxy.check()).status).toBe(403)
  })

  test('a deactivated user, a session that was signed out, and a switched-off application stop at once', async () => {
    await using idp = await startIdp({ store: make() })
    const { proxy, browser, application } = await signedIn(idp)
    const page = await browser.open('/oidc/v1/end_session')
    await browser.submit(page, '/confirm', { logout: 'yes' })
    expect((await proxy.check()).status).toBe(401)

    await proxy.signIn(idp.jane.username)
    expect((await proxy.check()).status).toBe(200)
    await idp.domain.catalogue.commit({ putApplications: [{ ...application, active: false }], events: [] })
    expect((await proxy.check()).status).toBe(403)
    await idp.domain.catalogue.commit({ putApplications: [application], events: [] })

    await idp.domain.users.deactivate(idp.jane.id, actor)
    expect((await proxy.check()).status).toBe(401)
  })

  test('signing out at the proxy ends the token, forgets the cookie, and leads to the sign-out page of the provider', async () => {
    await using idp = await startIdp({ store: make() })
    const { proxy, browser } = await signedIn(idp)
    const kept = proxy.cookies.get(session) as string
    const reply = await proxy.open('/.dossier/sign-out')
    expect(reply.status).toBe(302)
    expect(proxy.cookies.has(session)).toBe(false)
    expect((await proxy.check({ cookie: `${session}=${kept}` })).status).toBe(401)
    const page = await browser.open(reply.headers.get('location') ?? '')
    expect((await browser.submit(page, '/confirm', { logout: 'yes' })).url.href).toBe(`${origin}/goodbye`)
  })

  test('a code is taken once: who sends it again gets nothing, and what it gave ends', async () => {
    await using idp = await startIdp({ store: make() })
    const application = await proxiedApplication(idp, origin)
    const proxy = new ReverseProxy(idp, application, origin)
    const back = await proxy.signInAtProvider(idp.jane.username)
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await proxy.open(back)).status))
    expect(statuses.filter((status) => status === 302)).toHaveLength(1)
    const again = await proxy.open(back)
    expect(again.status).toBe(400)
    expect(again.headers.getSetCookie()).toEqual([])
    expect((await proxy.check()).status).toBe(401)
  })
})

describe('who is not signed in', () => {
  test('gets 401 with the sign-in address at the host of the application, in a form for every proxy', async () => {
    await using idp = await startIdp()
    const proxy = new ReverseProxy(idp, await proxiedApplication(idp, origin), origin)
    const address = `${origin}/.dossier/sign-in?to=${encodeURIComponent('/orders?page=2')}`
    for (const header of ['x-forwarded-uri', 'x-original-uri']) {
      const reply = await proxy.check({ [header]: '/orders?page=2', accept: 'text/html' })
      expect(reply.status).toBe(401)
      expect(reply.headers.get('location')).toBe(address)
      expect(told(reply)).toEqual({ 'x-dossier-sign-in': address })
      expect(await reply.json()).toEqual({ error: 'login_required', error_description: expect.stringContaining(address) })
    }
  })

  test('is sent there when the proxy asks for that and a browser opens a page', async () => {
    await using idp = await startIdp()
    const proxy = new ReverseProxy(idp, await proxiedApplication(idp, origin), origin)
    const status = async (headers: Record<string, string>) => (await proxy.check(headers, { redirect: 'true' })).status
    expect(await status({ accept: 'text/html,*/*;q=0.8' })).toBe(302)
    expect(await status({ accept: 'text/html', 'x-forwarded-method': 'GET' })).toBe(302)
    expect(await status({ accept: 'text/html', 'x-forwarded-method': 'POST' })).toBe(401)
    expect(await status({ accept: '*/*' })).toBe(401)
  })

  test('signs in by the code flow with PKCE, and comes back to where they wanted to go', async () => {
    await using idp = await startIdp()
    const application = await proxiedApplication(idp, origin)
    const proxy = new ReverseProxy(idp, application, origin)
    const begun = await proxy.open('/.dossier/sign-in?to=%2Forders%3Fpage%3D2')
    const address = new URL(begun.headers.get('location') ?? '')
    expect(address.origin + address.pathname).toBe(`${idp.issuer}/oauth/v2/authorize`)
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      client_id: application.clientId,
      redirect_uri: `${origin}/.dossier/callback`,
      response_type: 'code',
      scope: 'openid email urn:zitadel:iam:user:metadata',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    const done = await proxy.signIn(idp.jane.username, idp.browser(), '/orders?page=2')
    expect(done.headers.get('location')).toBe(`${origin}/orders?page=2`)
    expect(done.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-dossier-forward=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/),
    ])
  })

  test('may sign in from many tabs at once', async () => {
    await using idp = await startIdp()
    const proxy = new ReverseProxy(idp, await proxiedApplication(idp, origin), origin)
    const first = await proxy.signInAtProvider(idp.jane.username, idp.browser(), '/one')
    const second = await proxy.signInAtProvider(idp.jane.username, idp.browser(), '/two')
    expect((await proxy.open(first)).headers.get('location')).toBe(`${origin}/one`)
    expect((await proxy.open(second)).headers.get('location')).toBe(`${origin}/two`)
  })

  test('is told when the person refuses', async () => {
    await using idp = await startIdp()
    const application = await proxiedApplication(idp, origin, { firstParty: false })
    const proxy = new ReverseProxy(idp, application, origin)
    const begun = await proxy.open('/.dossier/sign-in')
    const browser = idp.browser()
    const page = await browser.open(begun.headers.get('location') ?? '')
    const consent = await browser.submit(page, '/login', { username: idp.jane.username, password: 'a test password' })
    expect(consent.text).toContain('All metadata that is kept about you')
    const back = await browser.submit(consent, '/deny')
    expect((await proxy.open(back.url)).status).toBe(403)
    expect(proxy.cookies.has(session)).toBe(false)
  })
})

describe('headers', () => {
  test('carry text percent-encoded beyond printable ASCII, so that nothing can break out of them', async () => {
    await using idp = await startIdp()
    const values = {
      plain: 'A-1234, "x"',
      injected: 'x\r\nX-Dossier-User: admin\n\n',
      umlaut: 'Zürich ☃ 日本',
      percent: '50%0d%0a',
      spaces: '  two  ',
      zero: 'a\0b\x7f',
    }
    const headers = await toldOf(idp, values)
    expect(headers).toMatchObject({
      'x-dossier-metadata-plain': 'A-1234, "x"',
      'x-dossier-metadata-injected': 'x%0D%0AX-Dossier-User: admin%0A%0A',
      'x-dossier-metadata-percent': '50%250d%250a',
      'x-dossier-metadata-zero': 'a%00b%7F',
    })
    for (const [key, value] of Object.entries(values)) expect(decodeURIComponent(headers[`x-dossier-metadata-${key}`] ?? '')).toBe(value)
  })

  test('leave out what is no text, what is too long, and what the user does not have', async () => {
    await using idp = await startIdp()
    const values = {
      bytes: Buffer.from([0xff, 0xfe, 0x00]),
      surrogate: Buffer.from([0xed, 0xa0, 0x80]),
      long: 'x'.repeat(4097),
      most: 'x'.repeat(4096),
      ü: 'ü'.repeat(2000),
    }
    const headers = await toldOf(idp, values, [...Object.keys(values), 'missing', '__proto__', 'constructor'])
    expect(headers).toEqual({ 'x-dossier-metadata-most': values.most })
  })

  test('have names that every proxy takes; of two keys that would share one, the first of the setting has it', async () => {
    await using idp = await startIdp()
    const values = { contract_number: 'one', 'P ID:\r\n': 'two', Größe: 'three', 'a.b': 'four' }
    const headers = await toldOf(idp, values, [...Object.keys(values), 'A-B', 'x y', 'x-y'])
    expect(headers).toEqual({
      'x-dossier-metadata-contract-number': 'one',
      'x-dossier-metadata-p-id---': 'two',
      'x-dossier-metadata-gr--e': 'three',
      'x-dossier-metadata-a-b': 'four',
    })
    const shared = await toldOf(idp, { 'a-b': 'of the second' }, ['a.b', 'a-b'])
    expect(shared).toEqual({})
  })

  test('name no address that was only claimed, and only the keys of the setting', async () => {
    await using idp = await startIdp()
    const profile = { email: 'jane@claimed.example', emailVerified: false }
    const metadata = [{ key: 'Secret', value: Buffer.from('not for the proxy') }]
    const user = await idp.domain.users.create(person({ profile, metadata }), actor)
    const proxy = new ReverseProxy(idp, await proxiedApplication(idp, origin), origin)
    await proxy.signIn(user.username)
    expect(told(await proxy.check())).toEqual({ 'x-dossier-user': user.id })
  })

  test('list roles with commas between them, and a comma in a role encoded', async () => {
    await using idp = await startIdp()
    const roles = [{ key: 'a,b' }, { key: 'writer' }, { key: 'ü' }]
    await idp.domain.catalogue.commit({ putProjects: [{ ...idp.project, roles }], events: [] })
    const user = await idp.domain.users.create(
      person({ roles: { [idp.project.id]: ['a,b', 'writer', 'removed', 'ü'], other: ['admin'] } }),
      actor,
    )
    const proxy = new ReverseProxy(idp, await proxiedApplication(idp, origin), origin)
    await proxy.signIn(user.username)
    expect(told(await proxy.check())['x-dossier-roles']).toBe('a%2Cb,writer,%C3%BC')
  })
})

describe('nobody gets through', () => {
  test('with a cookie that was made up, cut, or sealed for another application', async () => {
    await using idp = await startIdp()
    const { proxy, application } = await signedIn(idp)
    const cookie = proxy.cookies.get(session) as string
    const other = { ...application, id: 'other', clientId: 'other', redirectUris: ['https://other.example/.dossier/callback'] }
    await idp.domain.catalogue.commit({ putApplications: [other], events: [] })
    const others = new ReverseProxy(idp, other, 'https://other.example')

    const flipped = `${cookie.slice(0, -3)}${cookie.at(-3) === 'A' ? 'B' : 'A'}${cookie.slice(-2)}`
    for (const forged of ['', 'x', 'v1.', 'v1.AAAA', cookie.slice(0, -1), flipped, '__proto__', 'a'.repeat(8000)]) {
      expect((await proxy.check({ cookie: `${session}=${forged}` })).status, forged).toBe(401)
    }
    expect((await others.check({ cookie: `${session}=${cookie}` })).status).toBe(401)
    // The cookie of a proxy on http is another one, which anybody on the way could have set.
    expect((await proxy.check({ cookie: `dossier-forward=${cookie}` })).status).toBe(401)
    expect((await proxy.check({ cookie: `${session}=${cookie}` })).status).toBe(200)
  })

  test('with a token, wherever it is put: only what this flow has sealed counts', async () => {
    await using idp = await startIdp()
    const application = await proxiedApplication(idp, origin)
    const proxy = new ReverseProxy(idp, application, origin)
    const { tokens } = await signIn(idp, { scope: 'openid email urn:zitadel:iam:user:metadata' })
    const token = tokens.access_token
    for (const name of [session, 'access_token']) {
      expect((await proxy.check({ cookie: `${name}=${token}` })).status).toBe(401)
      expect((await proxy.check({}, { [name]: token })).status).toBe(401)
    }
    expect((await proxy.check({ authorization: `Bearer ${token}` })).status).toBe(401)
    expect((await proxy.check({}, { access_token: token })).status).toBe(401)
  })

  test('with the cookie at an API: it is no token there', async () => {
    await using idp = await startIdp()
    const { proxy } = await signedIn(idp)
    for (const value of [proxy.cookies.get(session), proxy.cookies.get(session)?.slice(3)]) {
      const reply = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${value}` } })
      expect(reply.status).toBe(401)
    }
  })

  test('after the token has expired', async () => {
    let time = new Date()
    await using idp = await startIdp({ now: () => time })
    const { proxy } = await signedIn(idp)
    time = new Date(time.getTime() + 11 * 3_600_000)
    expect((await proxy.check()).status).toBe(200)
    time = new Date(time.getTime() + 2 * 3_600_000)
    expect((await proxy.check()).status).toBe(401)
  })

  test('with an answer that another browser has asked for: nobody is signed in to a stranger’s account', async () => {
    await using idp = await startIdp()
    const application = await proxiedApplication(idp, origin)
    const attacker = new ReverseProxy(idp, application, origin)
    const victim = new ReverseProxy(idp, application, origin)
    const back = await attacker.signInAtProvider(idp.jane.username)
    await victim.open('/.dossier/sign-in')
    for (const proxy of [victim, new ReverseProxy(idp, application, origin)]) {
      const reply = await proxy.open(back)
      expect(reply.status).toBe(400)
      expect(reply.headers.getSetCookie()).toEqual([])
    }
    expect((await attacker.open(back)).status).toBe(302)
  })

  test('with a code beside the wrong state, an old state, or none', async () => {
    let time = new Date()
    await using idp = await startIdp({ now: () => time })
    const proxy = new ReverseProxy(idp, await proxiedApplication(idp, origin), origin)
    const [first, second] = [await proxy.signInAtProvider(idp.jane.username), await proxy.signInAtProvider(idp.jane.username)]
    const mixed = new URL(first)
    mixed.searchParams.set('state', second.searchParams.get('state') as string)
    const without = new URL(second)
    without.searchParams.delete('state')
    const late = new URL((await proxy.open('/.dossier/sign-in')).headers.get('location') ?? '')
    for (const address of [without, mixed]) expect((await proxy.open(address)).status).toBe(400)
    expect((await proxy.open(second)).status).toBe(302)

    time = new Date(time.getTime() + 3_601_000)
    const stale = `/.dossier/callback?error=access_denied&state=${late.searchParams.get('state')}`
    expect((await proxy.open(stale)).status).toBe(400)
  })

  test('with the code of another application or of another redirect URI', async () => {
    await using idp = await startIdp()
    const application = await proxiedApplication(idp, origin)
    const proxy = new ReverseProxy(idp, application, origin)
    const begun = new URL((await proxy.open('/.dossier/sign-in')).headers.get('location') ?? '')
    const other: Application = { ...idp.web, id: 'other', clientId: 'other' }
    await idp.domain.catalogue.commit({ putApplications: [other], events: [] })
    for (const changes of [
      { redirect_uri: 'http://localhost:3000/callback' },
      { client_id: 'other', redirect_uri: 'http://localhost:3000/callback' },
    ]) {
      const asked = new URL(begun)
      for (const [name, value] of Object.entries(changes)) asked.searchParams.set(name, value)
      const browser = idp.browser()
      const page = await browser.open(asked)
      const back = await browser.submit(page, '/login', { username: idp.jane.username, password: 'a test password' })
      expect(back.url.searchParams.get('code')).not.toBeNull()
      expect((await proxy.open(`/.dossier/callback${back.url.search}`)).status).toBe(400)
    }
  })

  test('who was told of less than the application now tells its proxies: they are asked again', async () => {
    await using idp = await startIdp()
    const { proxy, application } = await signedIn(idp, { forwardAuth: { metadata: [] } })
    expect(told(await proxy.check())).not.toHaveProperty('x-dossier-metadata-contractnumber')
    await idp.domain.catalogue.commit({ putApplications: [{ ...application, forwardAuth: { metadata: ['ContractNumber'] } }], events: [] })
    expect((await proxy.check()).status).toBe(401)
    await proxy.signIn(idp.jane.username)
    expect(told(await proxy.check())['x-dossier-metadata-contractnumber']).toBe('1234')
  })

  test('for an application that is unknown, has no forwardAuth, no address of a proxy, or binds its tokens to keys', async () => {
    await using idp = await startIdp()
    const status = async (changes: Partial<Application>) => {
      const proxy = new ReverseProxy(idp, await proxiedApplication(idp, origin, changes), origin)
      return [(await proxy.check()).status, (await proxy.open('/.dossier/sign-in')).status, (await proxy.open('/.dossier/callback')).status]
    }
    const refused = [403, 403, 403]
    expect(await status({})).toEqual([401, 302, 400])
    expect(await status({ forwardAuth: undefined })).toEqual(refused)
    expect(await status({ redirectUris: ['http://localhost:3000/callback', 'https://app.example/.dossier/callback/more'] })).toEqual(
      refused,
    )
    expect(await status({ dpopBoundAccessTokens: true })).toEqual(refused)
    const unknown = new ReverseProxy(idp, { ...idp.web, clientId: 'nobody' }, origin)
    expect((await unknown.check()).status).toBe(403)
    expect((await fetch(idp.url('/forward-auth'))).status).toBe(403)
    expect((await fetch(idp.url(`/forward-auth?client_id=${idp.web.clientId}&client_id=other`))).status).toBe(403)
  })
})

test.each([
  '//evil.example',
  '/\\evil.example',
  '\\/evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
  '/a\\b',
  '/\t/evil.example',
  '/%0d%0aSet-Cookie: a=b\r\nX: y',
  '/.//evil.example',
  '/x/..//evil.example',
  '/.dossier/sign-out',
  '/x/../.dossier/sign-out',
  'evil',
  '@evil.example',
  `/${'x'.repeat(3000)}`,
  '/ü',
  '',
])('nobody is sent to %j after the sign-in', async (to) => {
  await using idp = await startIdp()
  const proxy = new ReverseProxy(idp, await proxiedApplication(idp, origin), origin)
  const done = await proxy.signIn(idp.jane.username, idp.browser(), to)
  expect(done.headers.get('location')).toBe(`${origin}/`)
  if (/^[\x20-\x7e]*$/.test(to)) {
    const reply = await proxy.check({ cookie: '', 'x-forwarded-uri': to })
    expect(reply.headers.get('location')).toBe(`${origin}/.dossier/sign-in?to=%2F`)
  }
})

test('no header of a request changes where people are sent: it only chooses among the hosts that are registered', async () => {
  await using idp = await startIdp({ environment: { DOSSIER_TRUST_PROXY: '1' } })
  const one = await proxiedApplication(idp, origin)
  const evil = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', 'x-original-host': 'evil.example' }
  const proxy = new ReverseProxy(idp, one, origin)
  expect((await proxy.check(evil)).headers.get('location')).toBe(`${origin}/.dossier/sign-in?to=%2F`)
  // `fetch` sets no Host of its own.
  const spoofed = await new Promise<string | undefined>((resolve, reject) =>
    request(idp.url(`/forward-auth?client_id=${one.clientId}`), { headers: { host: 'evil.example' } }, (reply) => {
      reply.resume()
      resolve(reply.headers.location)
    })
      .on('error', reject)
      .end(),
  )
  expect(spoofed).toBe(`${origin}/.dossier/sign-in?to=%2F`)

  const uris = [`${origin}/.dossier/callback`, 'http://intern.example:8000/.dossier/callback']
  const two = new ReverseProxy(idp, await proxiedApplication(idp, origin, { redirectUris: uris }), origin)
  expect((await two.check()).headers.get('location')).toContain(`${origin}/`)
  expect((await two.check({ 'x-forwarded-host': 'intern.example:8000' })).headers.get('location')).toContain('http://intern.example:8000/')
  expect((await two.check(evil)).status).toBe(403)
})

test('whatever a client adds, it cannot choose which application judges its request', async () => {
  await using idp = await startIdp()
  const { proxy, application } = await signedIn(idp)
  const other: Application = { ...application, id: 'other', clientId: 'other', redirectUris: ['https://other.example/.dossier/callback'] }
  await idp.domain.catalogue.commit({ putApplications: [other], events: [] })
  const others = new ReverseProxy(idp, other, origin)
  const cookie = `${session}=${proxy.cookies.get(session)}`
  // The proxy has fixed the query, as Traefik and Caddy do.
  expect((await others.check({ cookie })).status).toBe(401)
  expect((await others.check({ cookie, 'x-dossier-client': application.clientId })).status).toBe(403)
  expect((await others.check({ cookie, 'x-dossier-client': 'other' })).status).toBe(401)
  // The proxy has fixed the header, as nginx does.
  expect((await others.ask('/forward-auth', {}, { cookie, 'x-dossier-client': 'other' })).status).toBe(401)
  expect((await others.open(`/.dossier/sign-in?client_id=${application.clientId}`)).status).toBe(403)
})

test('an application with JWT access tokens has an opaque one in the cookie, and its other clients their JWTs', async () => {
  await using idp = await startIdp()
  const { proxy, application } = await signedIn(idp, { accessTokenType: 'jwt', idTokenUserinfoAssertion: true })
  expect((await proxy.check()).status).toBe(200)
  expect(proxy.cookies.get(session)?.length).toBeLessThan(200)
  const { tokens } = await signIn(idp, { application })
  expect(tokens.access_token.split('.')).toHaveLength(3)
})

test('a proxy on http has a cookie without Secure, and no reply tells its browsers to insist on https', async () => {
  await using idp = await startIdp()
  const local = 'http://localhost:8000'
  const proxy = new ReverseProxy(idp, await proxiedApplication(idp, local), local)
  const done = await proxy.signIn(idp.jane.username)
  expect(done.headers.getSetCookie()).toEqual([expect.stringMatching(/^dossier-forward=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)])
  expect((await proxy.check()).status).toBe(200)

  await using secure = await startIdp({ environment: { DOSSIER_ISSUER: 'https://id.example', DOSSIER_TRUST_PROXY: '1' } })
  const reply = await fetch(`http://localhost:${secure.port}/forward-auth?client_id=x`)
  expect(reply.headers.get('strict-transport-security')).toBeNull()
})

test('nothing of a sign-in is in the log', async () => {
  await using idp = await startIdp()
  const { proxy } = await signedIn(idp)
  expect((await proxy.check()).status).toBe(200)
  const log = idp.log.join('')
  for (const secret of [...proxy.cookies.values(), 'code=', 'state=', 'to=']) expect(log).not.toContain(secret)
})
