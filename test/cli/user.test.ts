import { describe, expect, test } from 'vitest'
import { throttleLimits } from '#src/domain/users/throttle.ts'
import { Browser } from '../support/browser.ts'
import { testStores } from '../support/stores.ts'
import { demo, workplace } from './dossier.ts'

test('a user is created, read by id and by name, listed, switched off and on, and removed', async () => {
  const place = workplace()
  const { json: created } = await place.run(
    ['user', 'create', 'jane', '--given-name', 'Jane', '--email', 'jane@acme.example', '--email-verified', '--json'].concat(
      '--password-file',
      '-',
    ),
    { input: 'a good password\n' },
  )
  expect(created).toEqual({ id: expect.stringMatching(/^[0-9a-f]{24}$/), username: 'jane' })
  for (const name of [created.id, 'JANE']) {
    expect((await place.run(['user', 'get', name, '--json'])).json).toMatchObject({
      id: created.id,
      username: 'jane',
      kind: 'human',
      state: 'active',
      givenName: 'Jane',
      hasPassword: true,
      metadata: [],
    })
  }
  expect((await place.run(['user', 'list', '--json'])).json.users).toHaveLength(1)
  expect((await place.run(['user', 'list'])).stdout).toContain('jane  <jane@acme.example>')
  const states = []
  for (const verb of ['deactivate', 'reactivate', 'deactivate']) states.push((await place.run(['user', verb, 'jane', '--json'])).json.state)
  expect(states).toEqual(['inactive', 'active', 'inactive'])
  const unlock = await place.run(['user', 'unlock', 'jane'])
  expect([unlock.status, unlock.stderr]).toEqual([1, 'dossier user unlock: jane is inactive; use "dossier user reactivate"\n'])

  const unconfirmed = await place.run(['user', 'remove', 'jane'])
  expect(unconfirmed.status).toBe(2)
  expect(unconfirmed.stderr).toContain('--yes')
  expect((await place.run(['user', 'get', 'jane'])).status).toBe(0)
  expect((await place.run(['user', 'remove', 'jane', '--yes'])).status).toBe(0)
  const gone = await place.run(['user', 'get', 'jane'])
  expect([gone.status, gone.stderr]).toEqual([1, 'dossier user get: there is no user "jane"\n'])
})

test('a password is never taken from the call itself', async () => {
  const place = workplace()
  const plain = await place.run(['user', 'create', 'jane', '--password', 'secret1234'])
  expect(plain.status).toBe(2)
  expect(plain.stderr).toContain('--password takes env:NAME')
  await place.run(['user', 'create', 'jane', '--no-password'])
  expect((await place.run(['user', 'set-password', 'jane'])).status).toBe(2)
  const environment = { NEW: 'a good password' }
  expect((await place.run(['user', 'set-password', 'jane', '--password', 'env:NEW'], { environment })).status).toBe(0)
  const short = await place.run(['user', 'set-password', 'jane', '--password-file', '-'], { input: 'short' })
  expect([short.status, short.stderr]).toEqual([1, 'dossier user set-password: password: must have 8 characters or more\n'])
})

test('metadata is set, read and removed as text and as bytes', async () => {
  const place = workplace()
  await place.run(['user', 'create', 'jane', '--no-password'])
  expect((await place.run(['metadata', 'set', 'jane', 'ContractNumber', '1234'])).status).toBe(0)
  expect((await place.run(['metadata', 'set', 'jane', 'Logo', '/wA=', '--base64', '--json'])).json).toMatchObject({
    key: 'Logo',
    value: '/wA=',
  })
  expect((await place.run(['metadata', 'get', 'jane', 'ContractNumber'])).stdout).toBe('1234\n')
  expect((await place.run(['metadata', 'get', 'jane', 'ContractNumber', '--base64'])).stdout).toBe('MTIzNA==\n')
  const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT/)
  expect((await place.run(['metadata', 'list', 'jane', '--json'])).json).toEqual({
    metadata: [
      { key: 'ContractNumber', value: 'MTIzNA==', sequence: 2, creationDate: moment, changeDate: moment },
      { key: 'Logo', value: '/wA=', sequence: 3, creationDate: moment, changeDate: moment },
    ],
  })
  expect((await place.run(['metadata', 'remove', 'jane', 'Logo'])).status).toBe(0)
  const missing = await place.run(['metadata', 'get', 'jane', 'Logo'])
  expect([missing.status, missing.stderr]).toEqual([1, 'dossier metadata get: there is no metadata under "Logo"\n'])
  expect((await place.run(['metadata', 'set', 'jane', 'Logo', 'no base64!', '--base64'])).status).toBe(2)
})

test('a token is shown once, works beside a running server, and ends when it is revoked', async () => {
  const place = workplace()
  await using server = await place.serve()
  await place.run(['user', 'create', 'sync', '--machine'])
  const { json } = await place.run(['token', 'create', 'sync', '--expires', '30d', '--name', 'nightly', '--json'])
  expect(json).toEqual({ id: expect.any(String), token: expect.stringMatching(/^pat_/) })
  const listed = await place.run(['token', 'list', 'sync', '--json'])
  expect(listed.json.tokens).toEqual([
    { id: json.id, name: 'nightly', creationDate: expect.any(String), expirationDate: expect.any(String) },
  ])
  expect(listed.stdout).not.toContain(json.token)
  const userinfo = () => fetch(`${server.issuer}/oidc/v1/userinfo`, { headers: { authorization: `Bearer ${json.token}` } })
  const before = (await userinfo()).status
  expect((await place.run(['token', 'revoke', 'sync', json.id])).status).toBe(0)
  expect([before, (await userinfo()).status]).toEqual([200, 401])
  expect((await place.run(['token', 'revoke', 'sync', json.id])).status).toBe(1)
  expect((await place.run(['token', 'create', 'sync', '--expires', '2001-01-01'])).status).toBe(2)
})

describe.each(testStores)('on $name', ({ make }) => {
  test('after too many wrong passwords, "user unlock" lets a person in at once, by either name, from any browser but no other address', async () => {
    const place = workplace({ DOSSIER_STORE: make(), DOSSIER_SECRET: 'a secret for tests of more than 32 bytes', DOSSIER_APPLY: demo })
    await using server = await place.serve()
    const [username, email, password] = ['road.runner', 'road.runner@acme.example', 'beep-beep-beep']
    /** What the last of some attempts in one form is answered; 200 stands for the way back to the application. */
    const attempts = async (browser: Browser, name: string, ...passwords: string[]) => {
      const page = await browser.open(authorizeAddress)
      let status = 0
      for (const each of passwords) {
        const answer = await browser.submit(page, '/login', { username: name, password: each })
        status = answer.url.searchParams.has('code') ? 200 : answer.status
      }
      return status
    }
    /** Guesses until the wait is long enough for a next attempt to fall into it. */
    const guess = async (browser: Browser, name: string) => {
      const page = await browser.open(authorizeAddress)
      let wait = 0
      while (wait < 3)
        wait = Number((await browser.submit(page, '/login', { username: name, password: 'wrong' })).headers.get('retry-after') ?? 0)
    }

    const known = new Browser(server.issuer)
    expect(await attempts(known, email, password)).toBe(200)
    await known.submit(await known.open('/oidc/v1/end_session'), '/confirm', { logout: 'yes' })
    await guess(known, email)
    expect(await attempts(known, email, password)).toBe(429)
    const stranger = new Browser(server.issuer)
    await guess(stranger, username)
    expect(await attempts(stranger, username, password)).toBe(429)
    const unlocked = await place.run(['user', 'unlock', username])
    expect([unlocked.status, unlocked.stdout]).toEqual([0, 'road.runner was not locked, and need not wait any more\n'])
    expect(await attempts(known, email, password)).toBe(200)
    expect(await attempts(new Browser(server.issuer), username, password)).toBe(200)

    for (let other = 0; other < throttleLimits.address.free; other += 1) await attempts(new Browser(server.issuer), `nobody-${other}`, 'x')
    await guess(new Browser(server.issuer), 'nobody')
    expect(await attempts(new Browser(server.issuer), username, password)).toBe(429)
    await place.run(['user', 'unlock', username])
    expect(await attempts(new Browser(server.issuer), username, password)).toBe(429)
  })
})

const authorizeAddress = `/oauth/v2/authorize?${new URLSearchParams({
  response_type: 'code',
  client_id: 'portal-web',
  redirect_uri: 'http://localhost:3000/callback',
  scope: 'openid',
  code_challenge: 'A'.repeat(43),
  code_challenge_method: 'S256',
})}`

test('what is told about somebody has the forms that a file must have, so that an export can be applied', async () => {
  const place = workplace()
  for (const [option, value, reason] of [
    ['--email', 'nomail', 'email: must be an e-mail address'],
    ['--locale', 'xx_YY!', 'locale: must be a language tag'],
    ['--given-name', 'x'.repeat(1001), 'givenName: must have 1 to 200 characters'],
  ] as const) {
    const { status, stderr } = await place.run(['user', 'create', 'jane', '--no-password', option, value])
    expect([status, stderr]).toEqual([1, expect.stringContaining(reason)])
  }
  expect((await place.run(['user', 'list', '--json'])).json.users).toEqual([])
})
