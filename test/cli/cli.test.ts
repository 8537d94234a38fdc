import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { workplace } from './dossier.ts'

test('help is on stdout with status 0, wrong usage on stderr with status 2', async () => {
  const place = workplace()
  for (const words of [['--help'], [], ['user', '--help'], ['user', 'create', '--help']]) {
    const { status, stdout, stderr } = await place.run(words)
    expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: '' })
    expect(stdout).toContain('usage: dossier')
  }
  for (const words of [
    ['frobnicate'],
    ['user'],
    ['user', 'frobnicate'],
    ['user', 'get'],
    ['user', 'list', '--frobnicate'],
    ['apply', 'a', 'b'],
  ]) {
    const { status, stdout, stderr } = await place.run(words)
    expect({ words, status, stdout }).toEqual({ words, status: 2, stdout: '' })
    expect(stderr).toContain('usage: dossier')
  }
})

test('a command in a directory without a store says so and makes none', async () => {
  const place = workplace()
  const { status, stderr } = await place.run(['user', 'list'])
  expect(status).toBe(1)
  expect(stderr).toMatch(/^dossier user list: there is no store in .\/data: [^\n]+\n$/)
  expect(existsSync(place.path('data'))).toBe(false)
})

test('a wrong environment is told whole, with status 78', async () => {
  const place = workplace({ DOSSIER_PORT: 'x', DOSSIER_ISSUER: 'http://example.org' })
  const list = await place.run(['user', 'list'])
  expect(list.status).toBe(78)
  expect(list.stderr).toContain('DOSSIER_PORT')
  expect(list.stderr).toContain('DOSSIER_ISSUER')
  const check = await place.run(['config', 'check', '--json'])
  expect(check.status).toBe(78)
  expect(check.json).toMatchObject({ ok: false, checks: [{ name: 'environment' }, { name: 'environment' }] })
})

test('a check of the configuration changes nothing, whether there is a store or not', async () => {
  const place = workplace()
  const before = await place.run(['config', 'check', '--json'], { environment: { DOSSIER_ISSUER: 'http://localhost:18731' } })
  expect(before.status).toBe(0)
  expect(before.json.checks).toContainEqual({
    name: 'store',
    status: 'ok',
    detail: expect.stringContaining('the first start would make it'),
  })
  expect(existsSync(place.path('data'))).toBe(false)
  {
    await using server = await place.serve()
    const environment = { DOSSIER_ISSUER: server.issuer }
    const beside = await place.run(['config', 'check', '--json'], { environment })
    expect(beside.json).toMatchObject({ ok: true })
    expect(beside.json.checks).toContainEqual({ name: 'address', status: 'ok', detail: expect.stringContaining('Dossier is running') })
    const port = new URL(server.issuer).port
    const taken = await place.run(['config', 'check', '--json'], {
      environment: { DOSSIER_ISSUER: 'https://id.example.org', DOSSIER_PORT: port },
    })
    expect(taken.status).toBe(1)
    expect(taken.json.checks).toContainEqual(expect.objectContaining({ name: 'address', status: 'failed' }))
  }
  const after = await place.run(['config', 'check'], {
    environment: { DOSSIER_ISSUER: 'http://localhost:18731', DOSSIER_APPLY: 'nowhere.yaml' },
  })
  expect(after.status).toBe(1)
  expect(after.stdout).toMatch(/ok +migrations .*dossier.db has schema \d+, which is current/)
  expect(after.stdout).toMatch(/failed +configuration file .*nowhere.yaml cannot be read/)
  expect(existsSync(place.path('data/dossier.db-wal'))).toBe(false)
})

test('a database server that does not answer is reported, not waited for', async () => {
  const place = workplace({ DOSSIER_STORE: 'mongodb://127.0.0.1:9/dossier', DOSSIER_SECRET: 'a secret of more than thirty-two bytes' })
  const { status, json } = await place.run(['config', 'check', '--json'])
  expect(status).toBe(1)
  expect(json.checks).toContainEqual({ name: 'store', status: 'failed', detail: expect.stringContaining('cannot be used') })
})

test('a server answers in words, and does not offer to answer in JSON', async () => {
  const place = workplace()
  expect((await place.run(['serve', '--help'])).stdout).not.toContain('--json')
  expect((await place.run(['serve', '--json'])).status).toBe(2)
})
