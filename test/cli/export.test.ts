import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { demo, workplace } from './dossier.ts'

const secrets = /clientSecret|password|Hash|for-the-demo-only|beep-beep/

test('an apply of an export changes nothing, in YAML and in JSON, with all kinds of metadata', async () => {
  const place = workplace()
  await place.run(['apply', demo])
  const values = [
    '',
    ' blank ',
    'two\nlines\n',
    '\ttab',
    'null',
    '1234',
    '# no comment',
    "it's",
    '"quoted"',
    '- item',
    'a: b',
    'Grüße 🚀',
    '…\u2028x',
    'x\r\ny',
  ]
  for (const [index, value] of values.entries()) {
    if (value) await place.run(['metadata', 'set', 'road.runner', `key ${index}`, '--file', '-'], { input: value })
  }
  await place.run(['metadata', 'set', 'road.runner', 'bytes', '--base64', '--', '/wABgA=='])
  await place.run(['metadata', 'set', 'road.runner', '__proto__', 'a key like any other'])
  const { json: before } = await place.run(['metadata', 'list', 'road.runner', '--json'])
  for (const name of ['export.yaml', 'export.json']) {
    expect((await place.run(['export', '--users', name])).status).toBe(0)
    const { json } = await place.run(['apply', name, '--json'])
    expect(json.changes.filter(({ change }: { change: string }) => change !== 'none')).toEqual([])
    expect(readFileSync(place.path(name), 'utf8')).not.toMatch(secrets)
    expect(statSync(place.path(name)).mode & 0o777).toBe(0o600)
  }
  // The other way round: a new store that is made of the export holds the same bytes.
  const other = workplace()
  for (const name of ['export.yaml', 'export.json']) {
    await other.run(['apply', place.path(name)])
    const { json } = await other.run(['metadata', 'list', 'road.runner', '--json'])
    expect(pairsOf(json)).toEqual(pairsOf(before))
    const { stdout } = await other.run(['export', '--users'])
    expect(stdout).toBe(readFileSync(place.path('export.yaml'), 'utf8'))
  }
})

const pairsOf = ({ metadata }: { metadata: { key: string; value: string }[] }) => metadata.map(({ key, value }) => [key, value])

test('an export without --users tells nothing about people, and --json makes it one JSON document', async () => {
  const place = workplace()
  await place.run(['apply', demo])
  const { json } = await place.run(['export', '--json'])
  expect(Object.keys(json)).toEqual(['organization', 'settings', 'projects'])
  expect(json.projects).toHaveLength(1)
  const withUsers = await place.run(['export', '--json', '--users'])
  expect(withUsers.json.users.map(({ username }: { username: string }) => username)).toContain('wile.coyote')
  expect(withUsers.stdout).not.toMatch(secrets)
})

test('the registration page and the looks of the organization go through export and apply', async () => {
  const place = workplace()
  const wanted = {
    organization: { name: 'Acme', logoUri: `data:image/png;base64,${Buffer.alloc(30_000).toString('base64')}`, accentColor: '#0055aa' },
    settings: { registration: { mode: 'open', fields: [{ key: 'Team', label: { en: 'Team', de: 'Gruppe' }, pattern: '[A-Z]+' }] } },
  }
  writeFileSync(place.path('wanted.json'), JSON.stringify(wanted))
  await place.run(['apply', 'wanted.json'])
  for (const name of ['export.yaml', 'export.json']) {
    await place.run(['export', name])
    const { json } = await place.run(['apply', name, '--json'])
    expect(json.changes.filter(({ change }: { change: string }) => change !== 'none')).toEqual([])
  }
  expect(JSON.parse(readFileSync(place.path('export.json'), 'utf8'))).toMatchObject({
    organization: wanted.organization,
    settings: { registration: { mode: 'open', fields: [{ ...wanted.settings.registration.fields[0], required: false }] } },
  })
})

test('a user who was shut out stays so through export and apply', async () => {
  const place = workplace()
  await place.run(['user', 'create', 'jane', '--no-password'])
  await place.run(['user', 'deactivate', 'jane'])
  await place.run(['export', '--users', 'all.yaml'])
  const other = workplace()
  await other.run(['apply', place.path('all.yaml')])
  expect((await other.run(['user', 'get', 'jane', '--json'])).json.state).toBe('inactive')
})
