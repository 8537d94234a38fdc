/** What helps those who connect an application or a device: reasons, logs, codes to scan, browsers of other origins. */
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { throttleLimits } from '#src/domain/users/throttle.ts'
import { startIdp } from '../../support/idp.ts'
import { authorize, relyingParty } from '../../support/relyingParty.ts'

const authorizeQuery = (parameters: Record<string, string>) => `/oauth/v2/authorize?${new URLSearchParams(parameters)}`

test('a redirect URI that is not registered is told on a page of ours, and logged next to the registered ones', async () => {
  await using idp = await startIdp()
  const sent = 'http://localhost:3000/calback'
  const page = await idp
    .browser()
    .open(authorizeQuery({ client_id: idp.web.clientId, redirect_uri: sent, response_type: 'code', scope: 'openid' }))
  expect(page.status).toBe(400)
  expect(page.text).toContain('invalid_redirect_uri')
  const requestId = /id="error-id">([^<]+)</.exec(page.text)?.[1] ?? page.headers.get('x-request-id')
  const [line = ''] = idp.log.filter((each) => each.includes('redirect_uri is not registered'))
  expect(JSON.parse(line)).toMatchObject({ clientId: idp.web.clientId, sent, registered: idp.web.redirectUris, requestId })
})

test('a request without a redirect URI is refused, even where the application has one only', async () => {
  await using idp = await startIdp()
  for (const more of [{}, { redirect_uri: '' }] as Record<string, string>[]) {
    const page = await idp.browser().open(authorizeQuery({ client_id: idp.web.clientId, response_type: 'code', scope: 'openid', ...more }))
    expect(page.status).toBe(400)
    expect(page.text).toContain('redirect_uri')
  }
})

test('refusals name the parameter and the reason', async () => {
  await using idp = await startIdp()
  const ask = async (path: string, fields: Record<string, string>) => {
    const headers = { authorization: `Basic ${Buffer.from(`${idp.web.clientId}:${idp.secret}`).toString('base64')}` }
    const reply = await fetch(idp.url(path), { method: 'POST', headers, body: new URLSearchParams(fields) })
    return (await reply.json()) as { error: string; error_description: string }
  }
  expect(
    await ask('/oauth/v2/token', { grant_type: 'authorization_code', code: 'x', redirect_uri: 'http://localhost:3000/callback' }),
  ).toEqual({
    error: 'invalid_grant',
    error_description: 'code: authorization code not found',
  })
  expect(await ask('/oauth/v2/token', { grant_type: 'refresh_token', refresh_token: 'x' })).toEqual({
    error: 'invalid_grant',
    error_description: 'refresh_token: refresh token not found',
  })
  const configuration = await relyingParty(idp, idp.web)
  const done = await authorize(idp, configuration, {})
  const code = done.callback.searchParams.get('code') as string
  const wrong = { grant_type: 'authorization_code', code, redirect_uri: 'http://localhost:3000/other', code_verifier: done.codeVerifier }
  expect((await ask('/oauth/v2/token', wrong)).error_description).toBe('redirect_uri: authorization code redirect_uri mismatch')
  const unknown = await fetch(idp.url('/oauth/v2/token'), {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'nobody', client_secret: 'x' }),
  })
  const known = await fetch(idp.url('/oauth/v2/token'), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${idp.web.clientId}:wrong`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const answers = [await unknown.json(), await known.json()]
  expect(answers[0]).toEqual(answers[1])
})

test('a device gets a code to show, an address to draw, and a picture of it', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.native)
  const device = await client.initiateDeviceAuthorization(configuration, { scope: 'openid' })
  expect(device.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
  const address = device.verification_uri_qr as string
  const picture = await fetch(address)
  expect(picture.headers.get('content-type')).toMatch(/^image\/svg\+xml/)
  expect(await picture.text()).toMatch(/^<svg /)
  const unknown = await fetch(idp.url('/device/qr?user_code=BBBB-BBBB'))
  expect(unknown.status).toBe(200)
  const bad = await fetch(idp.url(`/device/qr?user_code=${encodeURIComponent('"><script>')}`))
  expect(bad.status).toBe(400)
})

test('whoever tries user codes one after the other must wait', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  let page = await browser.open('/device')
  for (let tries = 0; tries < throttleLimits.address.free; tries += 1) {
    page = await browser.submit(page, '/device', { user_code: 'BBBB-BBBB' })
    expect(page.status).toBe(400)
  }
  page = await browser.submit(page, '/device', { user_code: 'BBBB-BBBB' })
  expect(page.status).toBe(429)
  expect(Number(page.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('who is asked to make an account is told how, and may sign in instead', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const browser = idp.browser()
  const parameters = {
    redirect_uri: idp.web.redirectUris[0] as string,
    scope: 'openid',
    prompt: 'create',
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
  }
  const page = await browser.open(client.buildAuthorizationUrl(configuration, parameters))
  expect(page.text).toContain('id="create-note"')
  const { callback } = await authorize(idp, configuration, { browser, parameters: { prompt: 'create' } })
  expect(callback.searchParams.get('code')).not.toBeNull()
})

test('a preflight is answered, and kept by the browser; what follows it only for the application’s own origins', async () => {
  await using idp = await startIdp()
  const origin = 'http://localhost:5173'
  const preflight = (path: string) =>
    fetch(idp.url(path), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })
  for (const path of ['/oauth/v2/token', '/oidc/v1/userinfo']) {
    const reply = await preflight(path)
    expect(reply.status, path).toBe(204)
    expect(Number(reply.headers.get('access-control-max-age')), path).toBeGreaterThanOrEqual(600)
    expect(reply.headers.get('access-control-allow-headers'), path).toContain('authorization')
  }
  const ask = (from: string) =>
    fetch(idp.url('/oauth/v2/token'), {
      method: 'POST',
      headers: { origin: from },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: idp.spa.clientId }),
    })
  expect((await ask(origin)).headers.get('access-control-allow-origin')).toBe(origin)
  expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
})

test('a code in the address and a sign-out without a session go on by a page of ours, with a button and without a script in it', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.native)
  const device = await client.initiateDeviceAuthorization(configuration, { scope: 'openid' })
  const browser = idp.browser()
  for (const address of [device.verification_uri_complete as string, '/oidc/v1/end_session']) {
    const page = await browser.open(address)
    expect(page.text, address).toContain('id="form-post-submit"')
    expect(page.text).not.toContain('<script>')
    expect(page.headers.get('content-security-policy')).not.toContain('sha256-')
  }
  const complete = await browser.open(device.verification_uri_complete as string)
  const next = await browser.submit(complete, '/device')
  expect(next.text).toContain(device.user_code)
  expect((await browser.submit(await browser.open('/oidc/v1/end_session'), '/confirm')).text).toContain('Signed out')
})
