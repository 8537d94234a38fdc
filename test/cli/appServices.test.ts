/** `dossier app-services`: the folder of the documentation goes in and comes out byte for byte. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openDomain } from '#src/compose.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { startIdp } from '../support/idp.ts'
import { tempDir } from '../support/temp.ts'
import { workplace } from './dossier.ts'

const example = resolve(import.meta.dirname, '../../examples/app-services')

const filesIn = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted()

test('a folder is pushed whole and pulled as it was, with what Dossier does not serve', async () => {
  const place = workplace()
  const folder = place.path('app')
  cpSync(example, folder, { recursive: true })
  mkdirSync(join(folder, 'hosting'), { recursive: true })
  writeFileSync(join(folder, 'hosting/logo.png'), Buffer.from([0x89, 0x50, 0xff, 0x00]))
  const dry = await place.run(['app-services', 'push', 'app', '--dry-run', '--json'])
  expect([dry.status, dry.stderr]).toMatchObject([1, expect.stringContaining('there is no store')])
  await place.run(['user', 'create', 'jane', '--no-password'])
  expect((await place.run(['app-services', 'push', 'app', '--dry-run', '--json'])).json).toMatchObject({
    app: 'myapp-abcde',
    created: true,
    dryRun: true,
  })
  expect((await place.run(['app-services', 'list'])).stdout).toBe('There are no apps: dossier app-services push DIRECTORY makes one\n')

  const pushed = await place.run(['app-services', 'push', 'app', '--json'])
  const notServed = filesIn(folder).filter((path) => path.startsWith('hosting/') || path.endsWith('.mjs'))
  expect(notServed).toContain('hosting/logo.png')
  expect(pushed.json).toMatchObject({ app: 'myapp-abcde', created: true, dryRun: false, notServed })
  expect((await place.run(['app-services', 'push', 'app', '--json'])).json).toMatchObject({ created: false, changes: [] })
  expect((await place.run(['app-services', 'list', '--json'])).json.apps).toMatchObject([{ clientAppId: 'myapp-abcde', name: 'myapp' }])

  const pulled = await place.run(['app-services', 'pull', 'copy', '--json'])
  expect(pulled.status).toBe(0)
  expect(filesIn(place.path('copy'))).toEqual(filesIn(folder))
  for (const file of filesIn(folder)) expect(readFileSync(join(place.path('copy'), file))).toEqual(readFileSync(join(folder, file)))
  writeFileSync(join(place.path('copy'), 'superfluous.json'), '{}')
  const again = await place.run(['app-services', 'pull', 'copy', '--dry-run', '--json'])
  expect(again.json.changes).toEqual([{ path: 'superfluous.json', change: 'remove' }])
  mkdirSync(place.path('other'))
  writeFileSync(place.path('other/mine.txt'), 'mine')
  expect((await place.run(['app-services', 'pull', 'other', '--app', 'myapp-abcde'])).stderr).toContain('is no app')
})

test('every fault is told with file and path, and nothing is written', async () => {
  const place = workplace()
  await place.run(['user', 'create', 'jane', '--no-password'])
  cpSync(example, place.path('app'), { recursive: true })
  expect((await place.run(['app-services', 'push', 'app'])).status).toBe(0)
  const write = (path: string, content: unknown) =>
    writeFileSync(join(place.path('app'), path), typeof content === 'string' ? content : JSON.stringify(content))
  write('auth/providers.json', {
    'custom-token': { name: 'custom-token', type: 'custom-token', config: { signingAlgorithm: 'none' } },
    'oauth2-google': { type: 'oauth2-facebook' },
    'oauth2-acme': { type: 'oauth2-acme' },
  })
  write('auth/custom_user_data.json', { enabled: true, on_user_creation_function_name: 'gone', mongo_service_name: 'none' })
  write('functions/config.json', '[{"name": "onUserCreation"},')
  const { status, stderr } = await place.run(['app-services', 'push', 'app'])
  expect(status).toBe(1)
  for (const line of [
    'auth/providers.json: custom-token.config.signingAlgorithm: must be "HS256" or "RS256"',
    'auth/providers.json: oauth2-google.type: must be "oauth2-google", as the provider is called',
    'auth/providers.json: oauth2-acme.config.issuer: is missing',
    'auth/custom_user_data.json: database_name: is missing',
    'auth/custom_user_data.json: mongo_service_name: there is no data source "none"',
    'auth/custom_user_data.json: on_user_creation_function_name: there is no function "gone"',
    'functions/config.json: is not JSON',
  ]) {
    expect(stderr).toContain(line)
  }
  expect((await place.run(['app-services', 'pull', 'copy'])).status).toBe(0)
  expect(readFileSync(place.path('copy/auth/providers.json'))).toEqual(readFileSync(join(example, 'auth/providers.json')))
  expect((await place.run(['app-services', 'push', 'nowhere'])).status).toBe(1)
})

test('a secret gets its value from stdin, and is told to nobody', async () => {
  const place = workplace()
  await place.run(['user', 'create', 'jane', '--no-password'])
  cpSync(example, place.path('app'), { recursive: true })
  writeFileSync(
    join(place.path('app'), 'auth/providers.json'),
    JSON.stringify({ 'custom-token': { name: 'custom-token', type: 'custom-token', secret_config: { signingKeys: ['jwtKey'] } } }),
  )
  const pushed = await place.run(['app-services', 'push', 'app'])
  expect(pushed.stdout).toContain('the secret jwtKey has no value: dossier app-services secret myapp-abcde jwtKey')
  const set = await place.run(['app-services', 'secret', 'myapp-abcde', 'jwtKey'], { input: 'a very secret key of 32 characters\n' })
  expect(set.stdout).toBe('The secret jwtKey of myapp-abcde has its value\n')
  expect((await place.run(['app-services', 'push', 'app', '--json'])).json.missingSecrets).toEqual([])
  const domain = await openDomain(readConfiguration({ DOSSIER_STORE: `sqlite:${place.path('data')}` }))
  const view = await domain.apps.findByClientAppId('myapp-abcde')
  expect(view && domain.apps.secretOf(view, 'jwtKey')).toBe('a very secret key of 32 characters')
  expect(JSON.stringify(view)).not.toContain('very secret')
  await domain.stores.close()
  expect((await place.run(['app-services', 'secret', 'myapp-abcde', 'jwtKey'])).status).toBe(2)
  expect((await place.run(['app-services', 'secret', 'none-abcde', 'jwtKey', '--remove'])).status).toBe(1)
  await place.run(['app-services', 'secret', 'myapp-abcde', 'jwtKey', '--remove'])
  expect((await place.run(['app-services', 'push', 'app', '--json'])).json.missingSecrets).toEqual(['jwtKey'])
})

test('triggers are listed with what was given up, which can be run again', async () => {
  const place = workplace()
  cpSync(example, place.path('app'), { recursive: true })
  const trigger = {
    name: 'hello',
    type: 'AUTHENTICATION',
    function_name: 'setFavoriteColor',
    config: { operation_type: 'LOGIN' },
    disabled: false,
  }
  mkdirSync(place.path('app/triggers'))
  writeFileSync(place.path('app/triggers/hello.json'), JSON.stringify(trigger))
  await place.run(['app-services', 'push', 'app'])
  const domain = await openDomain(readConfiguration({ DOSSIER_STORE: `sqlite:${place.path('data')}` }))
  const app = (await domain.apps.findByClientAppId('myapp-abcde'))?.app.id ?? ''
  await domain.triggerTasks.bury({ id: '1', app, trigger: 'hello', failures: 6, notBefore: 0 }, 'no thanks', new Date())
  await domain.stores.close()
  const list = await place.run(['app-services', 'triggers', 'myapp-abcde'])
  expect(list.stdout).toMatch(/^hello +AUTHENTICATION +enabled +setFavoriteColor +1$/m)
  expect(list.stdout).toMatch(/^hello: \S+Z no thanks$/m)
  expect((await place.run(['app-services', 'triggers', 'myapp-abcde', '--retry', 'hello'])).stdout).toBe(
    '1 runs of hello are tried again\n',
  )
  expect((await place.run(['app-services', 'triggers', 'myapp-abcde', '--json'])).json.triggers[0].deadLetters).toEqual([])
  expect((await place.run(['app-services', 'triggers', 'myapp-abcde', '--retry', 'none'])).status).toBe(2)
})

test('the example does what its readers are told', async () => {
  await using idp = await startIdp({ store: `sqlite:${tempDir()}` })
  const folder = new Map(filesIn(example).map((path) => [path, readFileSync(join(example, path))]))
  await idp.domain.apps.push('myapp-abcde', folder, { kind: 'system' })
  const { stdout } = await promisify(execFile)(process.execPath, [join(example, 'log_in.mjs')], {
    env: { ...process.env, DOSSIER_ISSUER: idp.issuer },
  })
  expect(stdout).toMatch(/^([0-9a-f]{24}) likes blue\n\1 likes green\nmay read _id, user_account_id, favorite_color\n$/)
})
