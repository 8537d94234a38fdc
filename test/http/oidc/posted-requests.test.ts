/** Requests of applications that come as a form (OpenID Connect Core, section 3.1.2.1; RP-Initiated Logout, section 2). */
import { describe, expect, test } from 'vitest'
import { startIdp } from '../../support/idp.ts'
import { signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const challenge = { code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }

describe.each(testStores)('on $name', ({ make }) => {
  test('what is posted gets into no address, and the browser goes on with its session, also when it reloads', async () => {
    await using idp = await startIdp({ store: make() })
    const { browser, tokens } = await signIn(idp)
    const fields = { id_token_hint: tokens.id_token as string, post_logout_redirect_uri: 'http://localhost:3000/', state: 'a&b=c' }
    const reply = await fetch(idp.url('/oidc/v1/end_session'), { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
    expect(reply.status).toBe(303)
    expect(reply.headers.get('location')).toMatch(/^\/oidc\/v1\/end_session\?posted=[\w-]{43}$/)
    const address = reply.headers.get('location') as string
    expect((await browser.open(address)).text).toContain('id="logout-confirm"')
    const page = await browser.open(address)
    const back = await browser.submit(page, '/confirm', { logout: 'yes' })
    expect(back.url.href).toBe('http://localhost:3000/?state=a%26b%3Dc')
    expect(idp.log.join('')).not.toContain(tokens.id_token)
  })
})

test('a posted request to sign in may be as long as a form, and comes to its answer', async () => {
  await using idp = await startIdp()
  const { browser } = await signIn(idp)
  const request = { response_type: 'code', client_id: idp.web.clientId, redirect_uri: idp.web.redirectUris[0] as string, ...challenge }
  const back = await browser.open('/oauth/v2/authorize', { ...request, scope: 'openid', state: 'a&b=ü', nonce: 'n'.repeat(50_000) })
  expect(back.url.searchParams.get('code')).toBeTruthy()
  expect(back.url.searchParams.get('state')).toBe('a&b=ü')

  const stranger = idp.browser()
  const page = await stranger.open('/oauth/v2/authorize', { ...request, scope: 'openid', state: 'b', nonce: 'n'.repeat(50_000) })
  const done = await stranger.submit(page, '/login', { username: idp.jane.username, password: 'a test password' })
  expect(done.url.searchParams.get('code')).toBeTruthy()
  expect(done.url.searchParams.get('state')).toBe('b')

  const tooLong = await fetch(idp.url('/oauth/v2/authorize'), { method: 'POST', body: new URLSearchParams({ state: 's'.repeat(58_000) }) })
  expect(tooLong.status).toBe(413)
})

test('a parameter that was posted twice is refused as it is in an address', async () => {
  await using idp = await startIdp()
  const body = `client_id=${idp.web.clientId}&client_id=${idp.web.clientId}&response_type=code&scope=openid&redirect_uri=x`
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' }
  const reply = await fetch(idp.url('/oauth/v2/authorize'), { method: 'POST', headers, body })
  expect(reply.status).toBe(400)
  expect(await reply.text()).toContain('client_id')
})

test('what was posted is kept for five minutes, for its own address and for no other', async () => {
  let at = Date.now()
  await using idp = await startIdp({ now: () => new Date(at) })
  const post = async () =>
    (
      await fetch(idp.url('/oidc/v1/end_session'), { method: 'POST', body: new URLSearchParams({ state: 'x' }), redirect: 'manual' })
    ).headers.get('location') as string
  const address = await post()
  const open = (path: string) => idp.browser().open(path)
  expect((await open(address)).status).toBe(200)
  for (const wrong of [address.replace('/oidc/v1/end_session', '/oauth/v2/authorize'), `/oidc/v1/end_session?posted=${'A'.repeat(43)}`]) {
    expect((await open(wrong)).text).toMatch(/id="error-code"[^>]*>request_expired</)
  }
  at += 300_000
  expect((await open(address)).text).toContain('This request has expired')
})
