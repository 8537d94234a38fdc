/** Starting and stopping, as an operator sees it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { freePort } from '../support/ports.ts'
import { startServer } from '../support/serverProcess.ts'
import { tempDir } from '../support/temp.ts'

const quiet = { DOSSIER_LOG_LEVEL: 'silent' }

test('the first start tells the administrator and where to go, a later one what it found', async () => {
  const directory = tempDir()
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}` }
  const first = await startServer(environment, directory)
  expect(first.stdout()).toMatch(/user name {2}admin\n {2}password {3}\S{20}\n/)
  expect(first.stdout()).toContain(`${environment.DOSSIER_ISSUER}/.well-known/openid-configuration`)
  first.child.kill('SIGTERM')
  expect(await once(first.child, 'exit')).toEqual([0, null])

  await using second = await startServer(environment, directory)
  expect(second.stdout()).toContain('found 0 projects and 0 applications')
  expect(second.stdout()).not.toContain('password')
})

test('a server that an older Node has started goes when that one is gone', async () => {
  const directory = tempDir()
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}` }
  const program = resolve(import.meta.dirname, '../../bin/dossier.js')
  const child = fork(program, ['serve'], { cwd: directory, env: { PATH: process.env.PATH, ...environment }, silent: true })
  const browser = new Browser(environment.DOSSIER_ISSUER)
  await expect
    .poll(
      () =>
        browser.open('/healthz').then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 10_000 },
    )
    .toBe(200)
  child.disconnect()
  expect(await once(child, 'exit')).toEqual([0, null])
})

const refused = (environment: Record<string, string>, directory: string) =>
  startServer(environment, directory).then(
    () => expect.unreachable('it has started'),
    (error: Error) => error.message,
  )

test('a configuration file that is wrong by itself is told of before anything is made', async () => {
  const directory = tempDir()
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}`, DOSSIER_APPLY: 'broken.yaml' }
  writeFileSync(join(directory, 'broken.yaml'), 'projects: [{ nam: Portal }]\n')
  expect(await refused(environment, directory)).toContain('there is no such field; did you mean name?')
  expect(await refused({ ...environment, DOSSIER_APPLY: 'nobody.yaml' }, directory)).toContain('nobody.yaml')
  expect(readdirSync(directory)).toEqual(['broken.yaml'])
})

test('a first start that fails over what its file asks of the store still tells the administrator it has made', async () => {
  const directory = tempDir()
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}`, DOSSIER_APPLY: 'dangling.yaml' }
  writeFileSync(join(directory, 'dangling.yaml'), 'users: [{ username: jane, roles: { Nowhere: [reader] } }]\n')
  const failure = await refused(environment, directory)
  const [, password = ''] = /password {3}(\S{20})/.exec(failure) ?? []
  expect(password).not.toBe('')
})

test('an administrator who is not acceptable is a fault of its variables, and nothing is made', async () => {
  const directory = tempDir()
  const environment = {
    ...quiet,
    DOSSIER_ISSUER: `http://localhost:${await freePort()}`,
    DOSSIER_ADMIN_PASSWORD: 'short',
    DOSSIER_ADMIN_USERNAME: ' a ',
  }
  const failure = await refused(environment, directory)
  expect(failure).toMatch(/ended with 78:/)
  expect(failure).toMatch(/DOSSIER_ADMIN_PASSWORD: must have 8 characters or more, for example/)
  expect(failure).toMatch(/DOSSIER_ADMIN_USERNAME: must not have/)
  expect(readdirSync(directory)).toEqual([])
})

test('a store whose secret is lost is not given another one', async () => {
  const directory = tempDir()
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}` }
  const first = await startServer(environment, directory)
  first.child.kill('SIGTERM')
  await once(first.child, 'exit')
  rmSync(join(directory, 'data', 'secret'))
  expect(await refused(environment, directory)).toMatch(/data\/secret is missing, .* restore it from a backup, or set DOSSIER_SECRET/)
  expect(existsSync(join(directory, 'data', 'secret'))).toBe(false)
})

test('a damaged store is left as it is, with nothing beside it', async () => {
  const directory = tempDir()
  mkdirSync(join(directory, 'data'))
  writeFileSync(
    join(directory, 'data', 'dossier.db'),
    'this is no database, whatever its name says, and it is long enough to be looked at'.repeat(20),
  )
  expect(await refused({ ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}` }, directory)).toContain('ended with 1:')
  expect(readdirSync(join(directory, 'data'))).toEqual(['dossier.db'])
})

test('a folder below a file system that keeps no folders is said at once', async () => {
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}`, DOSSIER_STORE: 'sqlite:/proc/nobody/data' }
  expect(await refused(environment, tempDir())).toContain('cannot keep data in /proc/nobody/data')
})

test('a port in use is said in one sentence, and nothing is made', async () => {
  const directory = tempDir()
  const port = await freePort()
  const other = createServer().listen(port, 'localhost')
  await once(other, 'listening')
  await expect(startServer({ ...quiet, DOSSIER_ISSUER: `http://localhost:${port}` }, directory)).rejects.toThrow(
    new RegExp(`ended with 1:\\ndossier serve: Port ${port} on localhost is in use; .*\\n$`),
  )
  expect(readdirSync(directory)).toEqual([])
  other.close()
})

test('a folder that cannot be written is said in one sentence', async () => {
  const directory = tempDir()
  writeFileSync(join(directory, 'a-file'), '')
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}`, DOSSIER_STORE: 'sqlite:a-file/data' }
  await expect(startServer(environment, directory)).rejects.toThrow(/ended with 1:\ndossier serve: [^\n]*a-file[^\n]*\n$/)
})

test('every fault of the environment is told at once, with an example, and the exit status is 78', async () => {
  const environment = {
    DOSSIER_ISSUER: 'http://id.example.com/path',
    DOSSIER_STORE: 'postgres://x',
    DOSSIER_SECRET: 'short',
    DOSSIER_PORT: 'x',
    DOSSIER_TRUST_PROXY: '99',
    DOSSIER_LOG_LEVEL: 'loud',
    DOSSIER_OUTBOUND_ALLOW: '10.0.0.0/99',
    DOSSIER_TYPO: '1',
  }
  const failure = await startServer(environment).then(
    () => '',
    (error: Error) => error.message,
  )
  expect(failure).toContain('ended with 78')
  for (const name of Object.keys(environment)) expect(failure).toContain(`${name}: `)
  expect(failure).toContain('for example')
  expect(failure).not.toContain('    at ')
})

test('a store that another version has written is left alone', async () => {
  const directory = tempDir()
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}` }
  const first = await startServer(environment, directory)
  first.child.kill('SIGTERM')
  await once(first.child, 'exit')
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(join(directory, 'data', 'dossier.db'))
  database.exec('PRAGMA user_version = 9999')
  database.close()
  await expect(startServer(environment, directory)).rejects.toThrow(/ended with 1:\ndossier serve: [^\n]*newer[^\n]*\n$/)
})

test('SIGTERM lets a request that runs finish', async () => {
  const issuer = `http://localhost:${await freePort()}`
  await using server = await startServer({ ...quiet, DOSSIER_ISSUER: issuer })
  const { request } = await import('node:http')
  const slow = request(`${issuer}/oauth/v2/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '29' },
  })
  slow.flushHeaders()
  slow.write('grant_type=')
  await fetch(`${issuer}/healthz`)
  server.child.kill('SIGTERM')
  await expect
    .poll(() =>
      fetch(`${issuer}/healthz`).then(
        () => 'open',
        () => 'closed',
      ),
    )
    .toBe('closed')
  const answered = once(slow, 'response')
  slow.end('client_credentials')
  const [response] = (await answered) as [{ statusCode: number; resume(): void }]
  expect(response.statusCode).toBe(400)
  response.resume()
  expect(await once(server.child, 'exit')).toEqual([0, null])
})

test('the secret of a store is made once, for its owner only', async () => {
  const directory = tempDir()
  await using server = await startServer({ ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}` }, directory)
  const { statSync } = await import('node:fs')
  expect(existsSync(join(directory, 'data', 'secret'))).toBe(true)
  expect(statSync(join(directory, 'data', 'secret')).mode & 0o777).toBe(0o600)
  expect(server.stdout()).toContain('SQLite in ./data')
})

test('whatever it is asked, a server writes nothing but JSON lines into its log', async () => {
  const directory = tempDir()
  const issuer = `http://localhost:${await freePort()}`
  const configuration = `
    settings: { dynamicClientRegistration: open }
    projects:
      - name: Portal
        applications:
          - { name: web, clientId: web, clientSecret: a secret of 32 bytes or even more, redirectUris: ["${issuer}/callback"],
              grantTypes: [authorizationCode, clientCredentials, deviceCode], firstParty: true }
          - { name: api, clientId: api, type: api, resourceIndicators: ["https://api.example"] }
  `
  writeFileSync(join(directory, 'portal.yaml'), configuration)
  await using server = await startServer({ DOSSIER_ISSUER: issuer, DOSSIER_APPLY: 'portal.yaml', DOSSIER_TRUST_PROXY: '1' }, directory)
  const greeted = server.stdout().trimEnd()
  const authorization = `Basic ${Buffer.from('web:a secret of 32 bytes or even more').toString('base64')}`
  const accept = 'application/json'
  const ask = async (path: string, form?: Record<string, string>, headers: Record<string, string> = {}) => {
    const request = { headers: { accept: 'text/html', origin: 'https://app.example', ...headers }, redirect: 'manual' } as const
    const reply = await fetch(`${issuer}${path}`, form ? { ...request, method: 'POST', body: new URLSearchParams(form) } : request)
    return reply.text()
  }
  const fields = { client_id: 'web', redirect_uri: `${issuer}/callback`, response_type: 'code', scope: 'openid' }
  const request = new URLSearchParams({ ...fields, code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' })
  for (const query of ['prompt=none', 'claims={}', 'acr_values=x', 'request=a.b.c', 'request_uri=https://x.example', 'max_age=x'])
    await ask(`/oauth/v2/authorize?${request}&${query}`)
  for (const resource of ['https://x.example', 'https://api.example', 'nonsense']) {
    await ask(`/oauth/v2/authorize?${request}&resource=${resource}`)
    await ask('/oauth/v2/token', { grant_type: 'client_credentials', resource }, { authorization, 'x-ssl-client-verify': 'SUCCESS' })
  }
  const made = await ask('/oauth/v2/token', { grant_type: 'client_credentials' }, { authorization, accept })
  const { access_token: token } = JSON.parse(made) as { access_token: string }
  for (const endpoint of ['token', 'introspect', 'revoke', 'par', 'device_authorization', 'authorize', '../../oidc/v1/userinfo']) {
    await ask(`/oauth/v2/${endpoint}`, { token, scope: 'openid' }, { authorization })
    await ask(`/oauth/v2/${endpoint}`, { client_id: 'web', authorization_details: '[]', login_hint: 'x' }, { dpop: 'x' })
  }
  const { user_code } = JSON.parse(await ask('/oauth/v2/device_authorization', { scope: 'openid' }, { authorization, accept })) as {
    user_code: string
  }
  const browser = new Browser(issuer)
  await browser.submit(await browser.open('/device'), '/device', { user_code: 'BCDF-GHJK' })
  const asked = await browser.submit(await browser.open('/device'), '/device', { user_code })
  await browser.submit(asked, '/device', { user_code, confirm: 'yes' })
  for (const path of ['/oidc/v1/end_session', '/oidc/v1/end_session/success', '/.well-known/openid-configuration']) await browser.open(path)
  await fetch(`${issuer}/oauth/v2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://app.example/cb'], subject_type: 'pairwise' }),
  })
  server.child.kill('SIGTERM')
  await once(server.child, 'close')
  expect(server.stdout().trimEnd()).toBe(greeted)
  const lines = server.stderr().trim().split('\n')
  expect(lines.length).toBeGreaterThan(30)
  for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow()
})
