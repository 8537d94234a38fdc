import { createPrivateKey } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { workplace } from './dossier.ts'

test('a service account gets a key file that only its owner reads, which is listed and made worthless', async () => {
  const place = workplace()
  await place.run(['user', 'create', 'inventory sync', '--machine'])
  const made = await place.run(['user', 'key', 'create', 'inventory sync', '--expires', '90d', '--json'])
  const { id, file } = made.json
  expect(file).toBe(`inventory_sync-${id}.json`)
  expect(statSync(place.path(file)).mode & 0o777).toBe(0o600)
  const content = JSON.parse(readFileSync(place.path(file), 'utf8'))
  expect(content).toMatchObject({ type: 'serviceaccount', keyId: id, userId: expect.stringMatching(/^[0-9a-f]{24}$/) })
  expect(createPrivateKey(content.key).asymmetricKeyType).toBe('rsa')
  expect(made.stdout).not.toContain('PRIVATE KEY')

  const again = await place.run(['user', 'key', 'create', 'inventory sync', '--file', file])
  expect([again.status, again.stderr]).toEqual([2, expect.stringContaining(`${file} is there already: name another file`)])
  expect((await place.run(['user', 'key', 'list', 'inventory sync', '--json'])).json.keys).toMatchObject([{ id }])
  expect((await place.run(['user', 'key', 'list', 'inventory sync'])).stdout).toContain(id)
  expect((await place.run(['user', 'key', 'remove', 'inventory sync', id])).status).toBe(0)
  const gone = await place.run(['user', 'key', 'remove', 'inventory sync', id])
  expect([gone.status, gone.stderr]).toEqual([1, `dossier user key remove: inventory sync has no key ${id}\n`])
  expect((await place.run(['user', 'key', 'list', 'inventory sync'])).stdout).toBe('inventory sync has no keys\n')
})

test('a person gets no key file', async () => {
  const place = workplace()
  await place.run(['user', 'create', 'jane', '--no-password'])
  const refused = await place.run(['user', 'key', 'create', 'jane'])
  expect([refused.status, refused.stderr]).toEqual([1, 'dossier user key create: kind: is human: only a service account has keys\n'])
  const help = await place.run(['user', 'key', 'create', '--help'])
  expect([help.status, help.stdout]).toEqual([0, expect.stringContaining('--expires')])
})

test('roles of Dossier itself are granted by the configuration file, and exported with the user', async () => {
  const place = workplace()
  place.write('support.yaml', 'users: [{ username: support, roles: { Dossier: [ORG_END_USER_IMPERSONATOR] } }]\n')
  expect((await place.run(['apply', 'support.yaml'])).status).toBe(0)
  const exported = (await place.run(['export', '--users'])).stdout
  expect(exported).toContain('ORG_END_USER_IMPERSONATOR')
  place.write('export.yaml', exported)
  expect(
    (await place.run(['apply', 'export.yaml', '--json'])).json.changes.every(({ change }: { change: string }) => change === 'none'),
  ).toBe(true)
  place.write('wrong.yaml', 'users: [{ username: support, roles: { Dossier: [KING] } }]\n')
  const wrong = await place.run(['apply', 'wrong.yaml'])
  expect(wrong.stderr).toContain('the project has no role "KING"')
})
