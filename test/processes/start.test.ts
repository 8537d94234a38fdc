/** Starting and stopping, as an operator sees it. */
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
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

test('a first start that fails over its configuration file still tells the administrator it has made', async () => {
  const directory = tempDir()
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}`, DOSSIER_APPLY: 'broken.yaml' }
  writeFileSync(join(directory, 'broken.yaml'), 'projects: [{ nam: Portal }]\n')
  const failure = await startServer(environment, directory).then(
    () => '',
    (error: Error) => error.message,
  )
  expect(failure).toContain('there is no such field; did you mean name?')
  const [, password = ''] = /password {3}(\S{20})/.exec(failure) ?? []
  expect(password).not.toBe('')
})

test('a password for the administrator that is not acceptable is a fault of its variable', async () => {
  const environment = { ...quiet, DOSSIER_ISSUER: `http://localhost:${await freePort()}`, DOSSIER_ADMIN_PASSWORD: 'short' }
  await expect(startServer(environment, tempDir())).rejects.toThrow(/ended with 78:[\s\S]*DOSSIER_ADMIN_PASSWORD: must have 8 characters/)
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
