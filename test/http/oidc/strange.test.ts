/** Requests that nobody means well: never a fault of ours, never a stack. */
import { expect, test } from 'vitest'
import { startIdp } from '../../support/idp.ts'

const addresses = [
  ...['/%', '/%00', '//', '/__proto__', '/constructor', '/assets/x.css', '/nothing?x=%ff'],
  ...['/interaction/x', '/interaction/%ff', '/interaction/x/login', '/interaction/__proto__/consent'],
  ...['/oauth/v2/authorize', '/oauth/v2/authorize/zzz', '/oauth/v2/authorize?client_id=%00', '/oauth/v2/authorize?client_id=a&client_id=b'],
  ...['/oauth/v2/token', '/oauth/v2/introspect', '/oauth/v2/revoke', '/oauth/v2/par', '/oauth/v2/device_authorization', '/oauth/v2/keys'],
  ...[
    '/oidc/v1/userinfo',
    '/oidc/v1/end_session?id_token_hint=a.b.c',
    '/oidc/v1/end_session/confirm',
    '/oidc/v1/end_session/success?client_id=x',
  ],
  ...[
    '/device',
    '/device?user_code=%00',
    '/device/x',
    '/auth/v1/',
    '/auth/v1/users/me/metadata/%ff',
    '/.well-known/openid-configuration?x=1',
  ],
]

for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
  test(`${method} at strange addresses is answered below 500, with no stack`, async () => {
    await using idp = await startIdp()
    for (const address of addresses) {
      for (const accept of ['text/html', 'application/json']) {
        const response = await fetch(idp.issuer + address, { method, headers: { accept }, redirect: 'manual' })
        const text = await response.text()
        expect(response.status, `${address} answered ${text}`).toBeLessThan(500)
        expect(text).not.toMatch(/node_modules|\.ts:| {4}at /)
      }
    }
    expect(idp.log.filter((line) => line.includes('"level":50'))).toEqual([])
  })
}

test('an endpoint says which method it takes', async () => {
  await using idp = await startIdp()
  const response = await fetch(idp.url('/oauth/v2/token'))
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')).toBe('POST')
  expect(await response.json()).toMatchObject({ error: 'invalid_request' })
})

test('every address of discovery, its own and where people type a code, is refused any other method', async () => {
  await using idp = await startIdp()
  const own = idp.url('/.well-known/openid-configuration').href
  const document = (await (await fetch(own)).json()) as Record<string, unknown>
  const listed = Object.entries(document).flatMap(([name, value]) => (/_endpoint$|^jwks_uri$/.test(name) ? [value as string] : []))
  expect(listed.length).toBeGreaterThan(8)
  for (const address of [own, ...listed, idp.url('/device').href]) {
    const response = await fetch(address, { method: 'PUT' })
    expect(response.status, address).toBe(405)
    const allowed = response.headers.get('allow')
    expect(allowed, address).toMatch(/^(GET|POST|GET, POST)$/)
    expect(await response.json()).toMatchObject({ error_description: expect.stringContaining(allowed?.replace(', ', ' or ') ?? '') })
  }
})

test('a device code that is typed wrong, in a browser that was never here, can be typed again', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const first = await browser.open('/device', { user_code: 'WRONG' })
  expect(first.status).toBe(400)
  const second = await browser.submit(first, '/device', { user_code: 'WRONG-AGAIN' })
  expect(second.text).toContain('There is no such code')
})

test('the address at which a sign-in goes on tells applications nothing that it was not asked by them', async () => {
  await using idp = await startIdp()
  const parameters = { client_id: idp.web.clientId, redirect_uri: idp.web.redirectUris[0] as string, response_type: 'code' }
  for (const response_mode of ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt', 'x']) {
    const page = await idp.browser().open(`/oauth/v2/authorize/x?${new URLSearchParams({ ...parameters, response_mode })}`)
    expect(page.url.origin, response_mode).toBe(idp.issuer)
    expect(page.status).toBe(400)
    expect(page.text).toContain('session_not_found')
  }
})
