import { connect } from 'node:net'
import { expect, test, vi } from 'vitest'
import { startIdp } from '../../support/idp.ts'

test('the endpoints for clients take forms only, and short ones', async () => {
  await using idp = await startIdp()
  for (const path of [
    '/oauth/v2/token',
    '/oauth/v2/introspect',
    '/oauth/v2/revoke',
    '/oauth/v2/par',
    '/oauth/v2/device_authorization',
    '/oidc/v1/userinfo',
  ]) {
    const json = await fetch(idp.url(path), { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
    expect(json.status, path).toBe(415)
    expect(await json.json()).toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('x-www-form-urlencoded'),
    })
    const long = await fetch(idp.url(path), { method: 'POST', body: new URLSearchParams({ token: 'x'.repeat(110_000) }) })
    expect(long.status, path).toBe(413)
  }
  const page = await fetch(idp.url('/oidc/v1/end_session'), {
    method: 'POST',
    headers: { accept: 'text/html' },
    body: new URLSearchParams({ state: 'x'.repeat(110_000) }),
  })
  expect(page.status).toBe(413)
  expect(await page.text()).toMatch(/id="error-code"[^>]*>request_too_large</)
})

test('a long body without a length is not read to its end', async () => {
  await using idp = await startIdp()
  const endless = new ReadableStream({
    start(controller) {
      for (let chunk = 0; chunk < 200; chunk += 1) controller.enqueue(new TextEncoder().encode('a'.repeat(1000)))
      controller.close()
    },
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answered = await fetch(idp.url('/oauth/v2/token'), { method: 'POST', headers, body: endless, duplex: 'half' } as RequestInit)
  expect(answered.status).toBe(400)
  expect(await answered.json()).toMatchObject({ error: 'invalid_request' })
})

test('a parameter that is there twice, an unknown grant and a missing client are refused with a reason', async () => {
  await using idp = await startIdp()
  const post = async (body: string) => {
    const response = await fetch(idp.url('/oauth/v2/token'), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    })
    return { status: response.status, ...((await response.json()) as { error: string; error_description?: string }) }
  }
  const client = `client_id=${idp.web.clientId}&client_secret=${idp.secret}`
  expect(await post(`grant_type=client_credentials&grant_type=client_credentials&${client}`)).toMatchObject({
    status: 400,
    error: 'invalid_request',
  })
  expect(await post(`grant_type=password&${client}`)).toMatchObject({ status: 400, error: 'unsupported_grant_type' })
  expect(await post('grant_type=client_credentials')).toMatchObject({
    status: 400,
    error: 'invalid_request',
    error_description: expect.any(String),
  })
  expect(await post('')).toMatchObject({ status: 400, error: 'invalid_request' })
})

test('a client that goes away in the middle of its request is no fault of ours', async () => {
  await using idp = await startIdp()
  const paths = ['/oauth/v2/token', '/oauth/v2/introspect', '/oauth/v2/revoke', '/auth/v1/users/me/metadata/_search']
  for (const leave of ['destroy', 'end'] as const) {
    for (const path of paths) {
      const linesBefore = idp.log.length
      const socket = connect(idp.port, 'localhost')
      const head = `POST ${path} HTTP/1.1\r\nhost: ${new URL(idp.issuer).host}\r\ncontent-type: application/x-www-form-urlencoded\r\n`
      socket.write(`${head}content-length: 500\r\n\r\ngrant_type=client_`, () => socket[leave]())
      await vi.waitFor(() => expect(idp.log.slice(linesBefore)).toEqual([expect.stringContaining(`"path":"${path}"`)]))
    }
  }
  expect(idp.log.filter((line) => line.includes('"level":50'))).toEqual([])
})

test('a description keeps to the characters of RFC 6749, section 5.2, and to a few hundred of them, whatever it is about', async () => {
  await using idp = await startIdp()
  const authorization = `Basic ${Buffer.from(`${idp.web.clientId}:${idp.secret}`).toString('base64')}`
  for (const claims of ['"', '\\', 'é\u0000\r\n', 'x'.repeat(10_000)]) {
    const body = new URLSearchParams({ scope: 'openid', claims })
    const reply = await fetch(idp.url('/oauth/v2/device_authorization'), { method: 'POST', headers: { authorization }, body })
    expect(reply.status).toBe(400)
    const { error_description } = (await reply.json()) as { error_description: string }
    expect(error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]{10,300}$/)
  }
})
