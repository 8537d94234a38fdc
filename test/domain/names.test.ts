/** Names are what they look like, whichever way they come in; what had another name before may keep it. */
import { expect, test } from 'vitest'
import { isName, isPersonName, personNameIn } from '#src/base/forms.ts'
import { composeDomain } from '#src/composeDomain.ts'
import type { Actor } from '#src/domain/audit/events.ts'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import { render } from '#src/domain/provisioning/render.ts'
import { openStores } from '#src/storage/open.ts'
import { tempDir } from '../support/temp.ts'

const actor: Actor = { kind: 'system' }
const refused = ['', ' ', 'a\nb', 'a\0b', 'a\u2028b', 'pay\u202elap', 'a\u200bb', 'x'.repeat(201)]
const long = 'x'.repeat(999)

async function openPlace() {
  const stores = await openStores({ kind: 'sqlite', directory: tempDir() })
  const domain = composeDomain({ stores, secrets: ['a secret for tests of more than 32 bytes'] })
  await domain.catalogue.bootstrap()
  const apply = (value: unknown) =>
    domain.provisioning.apply(
      readConfigurationFile(JSON.stringify(value, null, 1), 'f.json', { environment: () => undefined, file: () => undefined }),
      actor,
    )
  return { ...domain, stores, apply, [Symbol.asyncDispose]: () => stores.close() }
}

const wish = {
  type: 'api',
  authMethod: 'basic',
  redirectUris: [],
  postLogoutRedirectUris: [],
  grantTypes: [],
  responseTypes: ['code'],
  accessTokenType: 'bearer',
  idTokenUserinfoAssertion: false,
  accessTokenRoleAssertion: false,
  idTokenRoleAssertion: false,
  requirePkce: true,
  idTokenSignedResponseAlg: 'RS256',
  firstParty: false,
  audience: 'project',
  clockSkewSeconds: 0,
  additionalOrigins: [],
} as const

test('a name of a thing has 1 to 200 characters, none of which hides or turns the others around', () => {
  for (const name of refused) expect(isName(name), JSON.stringify(name)).toBe(false)
  for (const name of ['Portal', 'Büro 7 – Süd', '日本', '𝒳'.repeat(200), 'שלום']) expect(isName(name), name).toBe(true)
})

test('a name of a person has nothing that controls or turns text, and what a provider calls somebody is cut or left out', () => {
  for (const name of ['', 'a\nb', 'a\0b', 'Ann\u202eevE', 'x'.repeat(201)]) expect(isPersonName(name), JSON.stringify(name)).toBe(false)
  for (const name of ["O'Brien-Söder", 'علی\u200cرضا']) expect(isPersonName(name), name).toBe(true)
  expect(personNameIn('𝒳'.repeat(300))).toBe('𝒳'.repeat(200))
  expect(personNameIn('a\nb')).toBeUndefined()
})

test('projects, applications, roles, the organization and people get no such name', async () => {
  await using place = await openPlace()
  const { projects, applications, users, apply } = place
  const project = await projects.create({ name: 'Portal' }, actor)
  const { application } = await applications.create(project.id, { ...wish, name: 'web' }, actor)
  const jane = await users.create({ kind: 'human', username: 'jane', profile: { givenName: 'Jane' } }, actor)
  for (const name of refused) {
    const where = JSON.stringify(name)
    await expect(projects.create({ name }, actor), where).rejects.toMatchObject({ code: 'project.invalid' })
    await expect(projects.change(project.id, { name }, actor), where).rejects.toMatchObject({ code: 'project.invalid' })
    const role = { key: 'reader', displayName: name }
    await expect(projects.addRoles(project.id, [role], actor), where).rejects.toMatchObject({ code: 'project.invalid' })
    await expect(applications.create(project.id, { ...wish, name }, actor), where).rejects.toMatchObject({ code: 'application.invalid' })
    await expect(
      applications.change(application.id, () => ({ name }), actor),
      where,
    ).rejects.toMatchObject({ code: 'application.invalid' })
    await expect(apply({ organization: { name } }), where).rejects.toThrow('organization.name: must have 1 to 200 characters')
  }
  for (const field of ['givenName', 'familyName', 'nickName', 'displayName'] as const) {
    for (const name of ['a\nb', 'a\0b', 'x'.repeat(201)]) {
      const profile = { [field]: name }
      await expect(users.create({ kind: 'human', username: 'new', profile }, actor)).rejects.toMatchObject({ code: 'user.invalid', field })
      await expect(users.edit(jane.id, { profile }, actor)).rejects.toMatchObject({ code: 'user.invalid', field })
    }
  }
})

test('a file with such names is refused with the place of each, and nothing is written', async () => {
  await using place = await openPlace()
  const wanted = {
    projects: [
      { name: 'Good', roles: [{ key: 'reader', displayName: 'a\nb' }], applications: [{ name: '\u202eweb', type: 'api' }] },
      { name: 'x'.repeat(201) },
    ],
    users: [{ username: 'jane', givenName: 'a\0b' }],
  }
  const error = await place.apply(wanted).catch((each) => each)
  expect(error.lines.map((line: string) => line.replace(/^f.json:\d+: /, ''))).toEqual([
    'projects[0].roles[0].displayName: must have 1 to 200 characters, and none that nobody sees',
    'projects[0].applications[0].name: must have 1 to 200 characters, and none that nobody sees',
    'projects[1].name: must have 1 to 200 characters, and none that nobody sees',
    'users[0].givenName: must have 1 to 200 characters, and none that controls or turns text',
  ])
  expect((await place.catalogue.listProjects()).length).toBe(1)
})

test('what an earlier version has taken stays, can be changed, exported and applied again', async () => {
  await using place = await openPlace()
  const { stores, projects, applications, users } = place
  const project = await projects.create({ name: 'Portal' }, actor)
  const { application } = await applications.create(project.id, { ...wish, name: 'web' }, actor)
  const jane = await users.create({ kind: 'human', username: 'jane', profile: { givenName: 'Jane' } }, actor)
  const roles = [{ key: 'reader', displayName: long }]
  await stores.catalogue.commit({
    putProjects: [{ ...project, name: long, roles }],
    putApplications: [{ ...application, name: 'a\nb' }],
    events: [],
  })
  await stores.users.update(jane.id, (user) => ({ user: { ...user, profile: { givenName: long } }, events: [] }))

  await projects.change(project.id, { projectRoleAssertion: true }, actor)
  await applications.change(application.id, () => ({ accessTokenType: 'jwt' }), actor)
  await applications.addKey(application.id, actor)
  await users.edit(jane.id, { profile: (before) => ({ ...before, nickName: 'J' }) }, actor)
  let text = ''
  for await (const piece of render(await place.provisioning.export(), 'json', true)) text += piece
  expect((await place.apply(JSON.parse(text))).filter(({ change }) => change !== 'none')).toEqual([])
  await expect(projects.change(project.id, { name: 'b\nb' }, actor)).rejects.toMatchObject({ code: 'project.invalid' })
})
