/** What is managed beside the configuration file is what the file could say: an export applies, and changes nothing. */
import { describe, expect, test } from 'vitest'
import { composeDomain } from '#src/composeDomain.ts'
import {
  ApplicationInvalid,
  ApplicationNameTaken,
  ApplicationNotFound,
  ProjectFixed,
  ProjectInvalid,
  ProjectNameTaken,
  ProjectNotFound,
  RoleTaken,
} from '#src/domain/applications/failures.ts'
import type { Actor } from '#src/domain/audit/events.ts'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import { type Format, render } from '#src/domain/provisioning/render.ts'
import { GrantImpossible, GrantTaken } from '#src/domain/users/grants.ts'
import { openStores } from '#src/storage/open.ts'
import { tempDir } from '../support/temp.ts'

const actor: Actor = { kind: 'system' }

async function openPlace() {
  const stores = await openStores({ kind: 'sqlite', directory: tempDir() })
  const domain = composeDomain({ stores, secrets: ['a secret for tests of more than 32 bytes'] })
  await domain.catalogue.bootstrap()
  return { ...domain, [Symbol.asyncDispose]: () => stores.close() }
}

type Place = Awaited<ReturnType<typeof openPlace>>

const nothing = { environment: () => undefined, file: () => undefined }

async function exported({ provisioning }: Place, format: Format): Promise<string> {
  let text = ''
  for await (const piece of render(await provisioning.export(), format, true)) text += piece
  return text
}

const applied = async ({ provisioning }: Place, text: string) =>
  (await provisioning.apply(readConfigurationFile(text, 'export.yaml', nothing), actor)).filter(({ change }) => change !== 'none')

const web = {
  type: 'web',
  authMethod: 'basic',
  redirectUris: ['https://app.example/callback'],
  postLogoutRedirectUris: [],
  grantTypes: ['authorizationCode'],
  responseTypes: ['code'],
  accessTokenType: 'jwt',
  idTokenUserinfoAssertion: false,
  accessTokenRoleAssertion: true,
  idTokenRoleAssertion: false,
  requirePkce: true,
  idTokenSignedResponseAlg: 'RS256',
  firstParty: true,
  audience: 'project',
  clockSkewSeconds: 3,
  additionalOrigins: [],
} as const

/** A place with a bit of everything that can be managed. */
async function fill(place: Place) {
  const { projects, applications, grants, users } = place
  const { id } = await projects.create({ name: 'Portal', projectRoleAssertion: true }, actor)
  await projects.addRoles(
    id,
    [
      { key: 'reader', displayName: undefined },
      { key: 'writer', displayName: 'Writes', group: 'g' },
    ],
    actor,
  )
  await projects.changeRole(id, 'writer', { displayName: undefined }, actor)
  await projects.addRoles(id, [{ key: 'gone' }], actor)
  const off = await projects.create({ id: 'switched-off', name: 'Off' }, actor)
  await projects.deactivate(off.id, actor)
  const jane = await users.create({ kind: 'human', username: 'jane', profile: {} }, actor)
  await grants.add(jane.id, id, ['reader', 'gone'], actor)
  await grants.add(jane.id, off.id, [], actor)
  const paul = await users.create({ kind: 'human', username: 'paul', profile: {} }, actor)
  await grants.add(paul.id, id, ['writer'], actor)
  await grants.deactivate(paul.id, id, actor)
  await projects.removeRole(id, 'gone', actor)
  const { application } = await applications.create(id, { ...web, name: 'web' }, actor)
  const dev = { ...web, name: 'dev', devMode: true, redirectUris: ['http://dev.example/cb'], loginVersion: {} }
  await applications.create(id, dev, actor)
  const api = {
    ...web,
    name: 'api',
    type: 'api',
    grantTypes: [],
    redirectUris: [],
    authMethod: 'privateKeyJwt',
    jwks: { keys: [] },
  } as const
  const made = await applications.create(id, api, actor)
  await applications.addKey(made.application.id, actor)
  await applications.change(
    application.id,
    () => ({ name: 'web!', devMode: false, backChannelLogoutUri: 'https://app.example/out' }),
    actor,
  )
  await applications.deactivate(application.id, actor)
  return { id, jane, paul, application }
}

test.each(['yaml', 'json'] as const)('an export (%s) of what was managed applies and changes nothing', async (format) => {
  await using place = await openPlace()
  const { jane, paul } = await fill(place)
  const text = await exported(place, format)
  expect(await applied(place, text)).toEqual([])
  expect((await place.users.get(jane.id)).roles).toHaveProperty('switched-off', [])
  // Somewhere else it makes the same, but for what was switched off, which gives nobody anything.
  await using elsewhere = await openPlace()
  await applied(elsewhere, text)
  expect(await exported(elsewhere, format)).toBe(text)
  expect((await elsewhere.users.get(paul.id)).roles).toEqual({})
})

test('a change that changes nothing is no event, and one that does is one', async () => {
  await using place = await openPlace()
  const { id, application } = await fill(place)
  const { projects, applications, stores, catalogue } = place
  const count = async () =>
    (await stores.audit.list({ kind: 'project', id }, { limit: 100 })).length +
    (await stores.audit.list({ kind: 'application', id: application.id }, { limit: 100 })).length
  const before = [await count(), catalogue.revision()]
  await projects.change(id, { name: 'Portal', projectRoleAssertion: true }, actor)
  await projects.changeRole(id, 'reader', { displayName: undefined }, actor)
  await applications.change(application.id, ({ name, redirectUris }) => ({ name, redirectUris: [...redirectUris] }), actor)
  expect([await count(), catalogue.revision()]).toEqual(before)
  await projects.change(id, { name: 'Renamed' }, actor)
  const [event] = await stores.audit.list({ kind: 'project', id }, { limit: 1 })
  expect(event).toMatchObject({ type: 'project.changed', payload: { fields: ['name'] } })
  await applications.change(application.id, ({ name }) => ({ name, accessTokenType: 'bearer', audience: 'client' }), actor)
  await applications.regenerateSecret(application.id, actor)
  expect(await stores.audit.list({ kind: 'application', id: application.id }, { limit: 2 })).toMatchObject([
    { type: 'application.changed', payload: { fields: ['clientSecret'] } },
    { type: 'application.changed', payload: { fields: ['accessTokenType', 'audience'] } },
  ])
  expect(JSON.stringify(await stores.audit.list({ kind: 'application', id: application.id }, { limit: 100 }))).not.toMatch(
    /secretHash|[Kk]eys/,
  )
})

describe('is refused', () => {
  test('what the rules of the configuration file refuse', async () => {
    await using place = await openPlace()
    const { id, application } = await fill(place)
    const { projects, applications } = place
    const create = (wish: object) => applications.create(id, { ...web, name: 'x', ...wish }, actor)
    await expect(create({ redirectUris: [] })).rejects.toThrow(new ApplicationInvalid('redirectUris: must not be empty'))
    await expect(create({ redirectUris: ['http://app.example'], clockSkewSeconds: 9 })).rejects.toThrow(
      /clockSkew: .*; redirectUris\[0\]: /,
    )
    await expect(create({ authMethod: 'none', requirePkce: false })).rejects.toThrow(/requirePkce/)
    await expect(create({ id: 'two words' })).rejects.toThrow(/^id: /)
    await expect(create({ devMode: true, type: 'native', redirectUris: ['http://app.example'] })).rejects.toThrow(ApplicationInvalid)
    await expect(applications.change(application.id, () => ({ grantTypes: ['implicit'] }), actor)).rejects.toThrow(ApplicationInvalid)
    await expect(projects.addRoles(id, [{ key: 'two words' }], actor)).rejects.toThrow(ProjectInvalid)
    await expect(projects.create({ id: 'two words', name: 'x' }, actor)).rejects.toThrow(ProjectInvalid)
    await expect(projects.create({ name: '' }, actor)).rejects.toThrow(ProjectInvalid)
  })

  test('what is there already, and what is not there', async () => {
    await using place = await openPlace()
    const { id, jane } = await fill(place)
    const { projects, applications, grants, catalogue } = place
    const { ownProjectId } = await catalogue.root()
    await expect(projects.create({ name: 'Portal' }, actor)).rejects.toThrow(ProjectNameTaken)
    await expect(projects.create({ name: 'Dossier' }, actor)).rejects.toThrow(ProjectNameTaken)
    await expect(projects.change('none', { name: 'x' }, actor)).rejects.toThrow(ProjectNotFound)
    await expect(projects.remove(ownProjectId, actor)).rejects.toThrow(ProjectFixed)
    await expect(projects.addRoles(id, [{ key: 'new' }, { key: 'reader' }], actor)).rejects.toThrow(RoleTaken)
    await expect(projects.addRoles(id, [{ key: 'new' }, { key: 'new' }], actor)).rejects.toThrow(RoleTaken)
    await expect(applications.create(ownProjectId, { ...web, name: 'x' }, actor)).rejects.toThrow(ProjectFixed)
    await expect(applications.create('none', { ...web, name: 'x' }, actor)).rejects.toThrow(ProjectNotFound)
    await expect(applications.create(id, { ...web, name: 'dev' }, actor)).rejects.toThrow(ApplicationNameTaken)
    await expect(applications.remove('none', actor)).rejects.toThrow(ApplicationNotFound)
    await expect(grants.add(jane.id, id, ['reader'], actor)).rejects.toThrow(GrantTaken)
    await expect(grants.change(jane.id, id, ['gone'], actor)).rejects.toThrow(GrantImpossible)
    await expect(grants.add(jane.id, 'none', [], actor)).rejects.toThrow(GrantImpossible)
  })
})

test('what somebody was granted is taken from them with the role and with the project, from however many', async () => {
  await using place = await openPlace()
  const { projects, grants, users } = place
  const { id } = await projects.create({ name: 'Crowd' }, actor)
  await projects.addRoles(id, [{ key: 'a' }, { key: 'b' }], actor)
  const ids = await Promise.all(
    Array.from({ length: 1100 }, async (_, n) => {
      const roles = { [id]: ['a', 'b'], other: ['a'] }
      return (await users.create({ kind: 'machine', username: `machine-${n}`, profile: {}, roles }, actor)).id
    }),
  )
  const held = async () => new Set(await Promise.all(ids.map(async (each) => JSON.stringify((await users.get(each)).roles))))
  await projects.removeRole(id, 'a', actor)
  expect(await held()).toEqual(new Set([JSON.stringify({ [id]: ['b'], other: ['a'] })]))
  const matches = { users: { kind: 'and', filters: [] }, ascending: true, offset: 1000, limit: 10 } as const
  expect((await grants.search({ ...matches, projectIds: [id] })).total).toBe(1100)
  const found = await grants.search({ ...matches, matches: ({ roles }) => roles.includes('b') })
  expect([found.total, found.grants.length]).toEqual([1100, 10])
  await projects.remove(id, actor)
  expect(await held()).toEqual(new Set([JSON.stringify({ other: ['a'] })]))
})
