import { expect, test } from 'vitest'
import { workplace } from './dossier.ts'

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
