/** The door: what strangers try at the sign-in form. */
import { type IncomingMessage, request } from 'node:http'
import { expect, test } from 'vitest'
import { throttleLimits } from '#src/domain/users/throttle.ts'
import { type Idp, password, startIdp } from '../../support/idp.ts'

const openSignIn = (idp: Idp, browser = idp.browser()) => {
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: idp.web.clientId,
    redirect_uri: idp.web.redirectUris[0] as string,
    scope: 'openid',
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
  })
  return browser.open(`/oauth/v2/authorize?${parameters}`)
}

test('a wrong user name and a wrong password get one and the same answer', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const page = await openSignIn(idp, browser)
  const unknown = await browser.submit(page, '/login', { username: 'nobody', password })
  const wrong = await browser.submit(page, '/login', { username: idp.jane.username, password: 'not the password' })
  expect(unknown.status).toBe(wrong.status)
  expect(wrong.text.replaceAll(idp.jane.username, 'nobody')).toBe(unknown.text)
  expect(wrong.text).not.toContain('not the password')
})

test('a form without the token of this browser is refused: none, a guessed one, one of another browser', async () => {
  await using idp = await startIdp()
  const [victim, attacker] = [idp.browser(), idp.browser()]
  const page = await openSignIn(idp, victim)
  const foreign = await openSignIn(idp, attacker)
  const foreignToken = /name="csrf" value="([^"]+)"/.exec(foreign.text)?.[1] as string
  for (const csrf of ['', 'guessed', foreignToken]) {
    const refused = await victim.submit(page, '/login', { csrf, username: idp.jane.username, password })
    expect(refused.status).toBe(403)
    expect(refused.text).toContain('form_not_accepted')
  }
})

test('an interaction belongs to one browser: another one can neither see it nor finish it', async () => {
  await using idp = await startIdp()
  const page = await openSignIn(idp)
  const stranger = idp.browser()
  expect((await stranger.open(page.url)).status).toBe(400)
  expect((await stranger.submit(page, '/login', { username: idp.jane.username, password })).status).toBe(400)
  const own = await openSignIn(idp, stranger)
  expect((await stranger.open(page.url)).text).toContain('session_not_found')
  expect((await stranger.open(own.url)).status).toBe(200)
})

test('one form sent three times at once goes on once, and the others are told why', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const page = await openSignIn(idp, browser)
  const answers = await Promise.all([1, 2, 3].map(() => browser.submit(page, '/login', { username: idp.jane.username, password })))
  for (const { status, text } of answers.filter((answer) => answer.status >= 400)) {
    expect(status).toBe(400)
    expect(text).toContain('session_not_found')
  }
  expect(answers.filter((answer) => answer.status < 400).length).toBeGreaterThan(0)
})

test('repeated failures slow an account down, whether it exists or not, and the owner signs in from a known browser meanwhile', async () => {
  let time = Date.now()
  await using idp = await startIdp({ now: () => new Date(time) })
  const owner = idp.browser()
  await owner.submit(await openSignIn(idp, owner), '/login', { username: idp.jane.username, password })

  for (const username of [idp.jane.username, 'nobody']) {
    const browser = idp.browser()
    const page = await openSignIn(idp, browser)
    for (let attempt = 0; attempt < throttleLimits.account.free; attempt += 1) {
      expect((await browser.submit(page, '/login', { username, password: 'wrong password' })).status).toBe(400)
    }
    const slowed = await browser.submit(page, '/login', { username, password })
    expect(slowed.status).toBe(429)
    expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThan(0)
  }

  await owner.submit(await owner.open('/oidc/v1/end_session'), '/confirm', { logout: 'yes' })
  const back = await owner.submit(await openSignIn(idp, owner), '/login', { username: idp.jane.username, password })
  expect(back.url.searchParams.get('code')).toBeTruthy()

  time += throttleLimits.account.longestWaitSeconds * 1000
  const later = idp.browser()
  const done = await later.submit(await openSignIn(idp, later), '/login', { username: idp.jane.username, password })
  expect(done.url.searchParams.get('code')).toBeTruthy()
})

test('an address from which many sign in is not made to wait; whoever waits as long as they are told gets in', async () => {
  let time = Date.now()
  await using idp = await startIdp({ now: () => new Date(time) })
  for (let count = 0; count < throttleLimits.address.free + 5; count += 1) {
    const browser = idp.browser()
    const done = await browser.submit(await openSignIn(idp, browser), '/login', { username: idp.jane.username, password })
    expect(done.url.searchParams.get('code')).toBeTruthy()
  }
  const browser = idp.browser()
  const page = await openSignIn(idp, browser)
  for (let attempt = 0; attempt < throttleLimits.account.free; attempt += 1) {
    await browser.submit(page, '/login', { username: idp.jane.username, password: 'wrong password' })
  }
  // Attempts that are too early make nothing worse.
  let told = 0
  for (let early = 0; early < 5; early += 1) {
    const slowed = await browser.submit(page, '/login', { username: idp.jane.username, password })
    expect(slowed.status).toBe(429)
    told = Number(slowed.headers.get('retry-after'))
  }
  expect(told).toBe(throttleLimits.account.firstWaitSeconds)
  time += told * 1000
  const done = await browser.submit(page, '/login', { username: idp.jane.username, password })
  expect(done.url.searchParams.get('code')).toBeTruthy()
})

test('a burst of guesses at once does not slip past the limit', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const page = await openSignIn(idp, browser)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => browser.submit(page, '/login', { username: idp.jane.username, password: 'wrong password' })),
  )
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(throttleLimits.account.free)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(20 - throttleLimits.account.free)
})

test('one address that guesses at many accounts is slowed down', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const page = await openSignIn(idp, browser)
  const statuses: number[] = []
  for (let attempt = 0; attempt <= throttleLimits.address.free; attempt += 1) {
    statuses.push((await browser.submit(page, '/login', { username: `nobody-${attempt}`, password: 'wrong password' })).status)
  }
  expect(statuses.at(-1)).toBe(429)
  expect(statuses.slice(0, -1).every((status) => status === 400)).toBe(true)
})

test('a form that is too large or of another kind is refused, and nothing is written', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const page = await openSignIn(idp, browser)
  const huge = await browser.submit(page, '/login', { username: 'x'.repeat(120_000), password })
  expect(huge.status).toBe(413)
  const response = await fetch(new URL(`${page.url.pathname}/login`, idp.issuer), {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie: browser.cookieHeader(page.url.pathname), accept: 'text/html' },
    body: '{}',
  })
  expect(response.status).toBe(415)
})

test('every page forbids inline code, frames and sniffing, and is kept nowhere', async () => {
  await using idp = await startIdp()
  const page = await openSignIn(idp)
  const policy = page.headers.get('content-security-policy') as string
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  expect(page.text).not.toMatch(/<script|<style|\son\w+=|style="/)
})

test('behind https, cookies are bound to the host and browsers are told to stay on https', async () => {
  await using idp = await startIdp({ environment: { DOSSIER_ISSUER: 'https://id.example.com', DOSSIER_TRUST_PROXY: '1' } })
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: idp.spa.clientId,
    redirect_uri: idp.spa.redirectUris[0] as string,
    scope: 'openid',
  })
  const headers = { host: 'id.example.com', 'x-forwarded-proto': 'https', accept: 'text/html' }
  const get = (path: string, cookie = '') =>
    new Promise<IncomingMessage>((resolve, reject) => {
      request({ port: idp.port, host: 'localhost', path, headers: { ...headers, cookie } }, (response) => resolve(response.resume()))
        .on('error', reject)
        .end()
    })
  const started = await get(`/oauth/v2/authorize?${query}&code_challenge=${'A'.repeat(43)}&code_challenge_method=S256`)
  expect(started.statusCode).toBe(303)
  expect(started.headers.location).toMatch(/^https:\/\/id\.example\.com\/interaction\/|^\/interaction\//)
  expect(started.headers['strict-transport-security']).toContain('max-age=')
  const cookies = started.headers['set-cookie'] ?? []
  expect(cookies.length).toBeGreaterThan(0)
  const path = new URL(started.headers.location as string, idp.issuer).pathname
  const page = await get(path, cookies.map((line) => line.split(';')[0]).join('; '))
  expect(page.statusCode).toBe(200)
  for (const cookie of [...cookies, ...(page.headers['set-cookie'] ?? [])])
    expect(cookie).toMatch(/; secure.*; httponly|; httponly.*; secure/i)
  expect((page.headers['set-cookie'] ?? []).some((cookie) => cookie.startsWith('__Host-dossier-csrf='))).toBe(true)
})

test('what a person types is shown as text', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const page = await openSignIn(idp, browser)
  const answer = await browser.submit(page, '/login', { username: '"><script>alert(1)</script>', password: 'wrong password' })
  expect(answer.text).not.toContain('<script')
  expect(answer.text).toContain('&lt;script&gt;')
})

test('no password, code, token, secret or address stands in the log', async () => {
  await using idp = await startIdp()
  const { signIn } = await import('../../support/relyingParty.ts')
  const { tokens, callback } = await signIn(idp, { scope: 'openid email offline_access' })
  await fetch(idp.url(`/oidc/v1/userinfo?access_token=${tokens.access_token}`), {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  })
  await fetch(idp.url('/oauth/v2/token'), {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'nonsense', code: 'a-code', client_secret: idp.secret }),
  })
  const log = idp.log.join('\n')
  expect(log).toContain('"path":"/oauth/v2/token"')
  const secrets = [
    password,
    idp.secret,
    tokens.access_token,
    tokens.refresh_token,
    tokens.id_token,
    callback.searchParams.get('code'),
    '127.0.0.1',
    'jane@acme',
  ]
  for (const secret of secrets) expect(log).not.toContain(secret as string)
})

test('an address that is asked with another method is an error page, with the methods that it takes', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const page = await openSignIn(idp, browser)
  const { status, text, headers } = await browser.open(`${page.url.pathname}/login`)
  expect([status, headers.get('allow')]).toEqual([405, 'POST'])
  for (const id of ['error-title', 'error-code', 'error-id']) expect(text).toContain(`id="${id}"`)
})
