import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { demo, machineToken, workplace } from './dossier.ts'

const changesOf = (ran: { json: { changes: { change: string }[] } }) => ran.json.changes.map(({ change }) => change)

test('the demo is created at the first apply, and the second one changes nothing and records nothing', async () => {
  const place = workplace()
  const first = await place.run(['apply', demo, '--json'])
  expect(first.json.changes).toContainEqual({ kind: 'application', name: 'portal-web', change: 'create' })
  expect(first.json.changes).toContainEqual({ kind: 'user', name: 'road.runner', change: 'create' })
  const events = place.eventCount()
  const second = await place.run(['apply', demo, '--json'])
  expect(new Set(changesOf(second))).toEqual(new Set(['none']))
  expect(second.stderr).toBe('')
  expect(place.eventCount()).toBe(events)
})

test('a dry run tells what would be made and leaves no store behind', async () => {
  const place = workplace()
  const { status, stdout } = await place.run(['apply', demo, '--dry-run'])
  expect(status).toBe(0)
  expect(stdout).toContain('create  user          road.runner')
  expect(stdout).toContain('Nothing was written')
  expect(existsSync(place.path('data'))).toBe(false)
})

test('faults are told together with file, line and path, the status is 1 and nothing is written', async () => {
  const place = workplace()
  const file = place.write(
    'portal.yaml',
    `organization: { name: Acme, primarydomain: acme.example }
projects:
  - name: Portal
    applications:
      - name: web
        clientSecret: env:NOT_THERE
        redirectUris: ['https://portal.example/#x']
users:
  - username: jane
    roles: { Portal: [reader] }
    metadata: { ContractNumber: 1234 }
`,
  )
  const { status, stderr, stdout } = await place.run(['apply', file])
  expect(status).toBe(1)
  expect(stdout).toBe('')
  expect(stderr.trim().split('\n')).toEqual([
    'portal.yaml:1: organization.primarydomain: there is no such field; did you mean primaryDomain?',
    'portal.yaml:6: projects[0].applications[0].clientSecret: the environment variable NOT_THERE is not set',
    'portal.yaml:7: projects[0].applications[0].redirectUris[0]: must not have a fragment',
    'portal.yaml:10: users[0].roles.Portal[0]: the project has no role "reader"',
    'portal.yaml:11: users[0].metadata.ContractNumber: must be text or { base64: … }, not a number; put it in quotes',
  ])
  expect(existsSync(place.path('data'))).toBe(false)
})

test('a file that is not there, or is no YAML, is one sentence without a trace', async () => {
  const place = workplace()
  const missing = await place.run(['apply', 'nowhere.yaml'])
  expect(missing.status).toBe(1)
  expect(missing.stderr).toMatch(/^dossier apply: the configuration file nowhere.yaml cannot be read.*\n$/)
  const broken = await place.run(['apply', place.write('broken.yaml', 'users:\n  - username: jane\n   id: x\n')])
  expect(broken.status).toBe(1)
  expect(broken.stderr).toMatch(/^broken.yaml:3: document: cannot be read as YAML or JSON: /)
})

test('secrets come from the environment and from files beside the configuration file', async () => {
  const place = workplace()
  place.write('secret.txt', 'a secret in a file\n')
  place.write(
    'machines.json',
    JSON.stringify({
      users: [
        { username: 'one', kind: 'machine', clientSecret: 'env:ONE' },
        { username: 'two', kind: 'machine', clientSecret: 'file:secret.txt' },
      ],
    }),
  )
  const { status } = await place.run(['apply', 'machines.json'], { environment: { ONE: 'a secret in the environment' } })
  expect(status).toBe(0)
  await using server = await place.serve()
  expect((await machineToken(server.issuer, 'one', 'a secret in the environment')).status).toBe(200)
  expect((await machineToken(server.issuer, 'two', 'a secret in a file')).status).toBe(200)
  expect((await machineToken(server.issuer, 'two', 'another secret')).status).toBe(401)
})

test('an application without a secret gets one, which is told once and then kept', async () => {
  const place = workplace()
  const file = place.write('api.yaml', 'projects: [{ name: Portal, applications: [{ name: api, clientId: api, type: api }] }]')
  const first = await place.run(['apply', file, '--json'])
  const [made] = first.json.changes.filter((each: { clientSecret?: string }) => each.clientSecret)
  expect(made).toEqual({ kind: 'application', name: 'api', change: 'create', clientSecret: expect.stringMatching(/^[\w-]{43}$/) })
  const second = await place.run(['apply', file, '--json'])
  expect(second.json.changes).toContainEqual({ kind: 'application', name: 'api', change: 'none' })
})

test('of two applies at the same time each thing is made once', async () => {
  const place = workplace()
  // The store is there, so that both begin with the comparison.
  await place.run(['user', 'create', 'somebody', '--no-password'])
  const applications = '{ name: a, type: api }, { name: b, type: api }'
  const file = place.write('twice.yaml', `projects: [{ name: Portal, applications: [${applications}] }]\nusers: [{ username: jane }]`)
  const runs = await Promise.all([1, 2, 3].map(() => place.run(['apply', file, '--json'])))
  expect(
    runs.map(({ status, stderr }) => ({ status, stderr: stderr.replace('another apply is at work; waiting for it to end\n', '') })),
  ).toEqual(runs.map(() => ({ status: 0, stderr: '' })))
  const made = runs.flatMap((each) => each.json.changes).filter(({ change }) => change === 'create')
  expect(made).toHaveLength(4)
  const exported = await place.run(['export', '--users', '--json'])
  expect(exported.json.projects).toHaveLength(1)
  expect(exported.json.projects[0].applications).toHaveLength(2)
})

test('an apply beside a running server takes effect there at once', async () => {
  const place = workplace()
  await using server = await place.serve()
  const secret = 'inventory-sync-secret-for-the-demo-only'
  expect((await machineToken(server.issuer, 'inventory-sync', secret)).status).toBe(401)
  expect((await place.run(['apply', demo])).status).toBe(0)
  expect((await machineToken(server.issuer, 'inventory-sync', secret)).status).toBe(200)
  const asked = await fetch(
    `${server.issuer}/oauth/v2/authorize?client_id=portal-spa&response_type=code&scope=openid&code_challenge_method=S256` +
      `&code_challenge=${'c'.repeat(43)}&redirect_uri=http://localhost:5173/callback.html`,
    { redirect: 'manual' },
  )
  expect(asked.headers.get('location')).toContain('/interaction/')
})

test('an application that asks for EdDSA finds a key of it', async () => {
  const place = workplace()
  const file = place.write(
    'eddsa.yaml',
    'projects: [{ name: P, applications: [{ name: w, redirectUris: ["https://w.example/"], idTokenSignedResponseAlg: EdDSA }] }]',
  )
  expect((await place.run(['apply', file])).status).toBe(0)
  const { json } = await place.run(['keys', 'list', '--json'])
  expect(json.keys).toContainEqual(expect.objectContaining({ algorithm: 'EdDSA', phase: 'signing' }))
})

test('the server applies the file of DOSSIER_APPLY before it listens', async () => {
  const place = workplace({ DOSSIER_APPLY: demo })
  {
    await using server = await place.serve()
    expect(server.said()).toContain(`Applied ${demo}: 8 created, 1 updated`)
    expect((await machineToken(server.issuer, 'inventory-sync', 'inventory-sync-secret-for-the-demo-only')).status).toBe(200)
  }
  await using again = await place.serve()
  expect(again.said()).toContain(`Applied ${demo}: 9 unchanged`)
})

test('the server does not start with a file of DOSSIER_APPLY that has faults', async () => {
  const place = workplace()
  place.write('bad.yaml', 'user: []\n')
  const { status, stderr } = await place.run(['serve'], {
    environment: { DOSSIER_APPLY: 'bad.yaml', DOSSIER_ISSUER: 'http://localhost:18732' },
  })
  expect(status).toBe(1)
  expect(stderr).toContain('bad.yaml:1: user: there is no such field; did you mean users?')
})
