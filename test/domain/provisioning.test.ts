import { hash as bcrypt } from '@node-rs/bcrypt'
import { expect, test } from 'vitest'
import { composeDomain } from '#src/composeDomain.ts'
import { defaultSettings, type Settings } from '#src/domain/applications/application.ts'
import type { Actor } from '#src/domain/audit/events.ts'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import type { ApplyWatcher } from '#src/domain/provisioning/provisioning.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { openStores } from '#src/storage/open.ts'
import { tempDir } from '../support/temp.ts'

const actor: Actor = { kind: 'cli', name: 'operator' }

/** A domain over a new store, and `apply` for the text of a file. */
async function openPlace() {
  const stores = await openStores({ kind: 'sqlite', directory: tempDir() })
  const domain = composeDomain({ stores, secrets: ['a secret for tests of more than 32 bytes'] })
  await domain.catalogue.bootstrap()
  const read = (text: string, name: string) => readConfigurationFile(text, name, { environment: () => undefined, file: () => undefined })
  return {
    ...domain,
    /** What became of each thing: `user jane: create`. */
    async apply(text: string, name = 'test.yaml', watcher: ApplyWatcher = {}) {
      const changes = await domain.provisioning.apply(read(text, name), actor, watcher)
      return changes.map(({ kind, name: what, change, fields = [] }) => [`${kind} ${what}: ${change}`, ...fields].join(' '))
    },
    /** The faults that an apply is refused with, without the name of the file. */
    async faults(text: string) {
      const error = await domain.provisioning.apply(read(text, 'f'), actor).then(
        () => undefined,
        (reason: { lines?: readonly string[] }) => reason,
      )
      return error?.lines?.map((line) => line.slice('f:'.length))
    },
    async user(username: string) {
      const user = await domain.users.findByUsername(username)
      if (!user) throw new Error(`there is no ${username}`)
      return user
    },
    [Symbol.asyncDispose]: () => stores.close(),
  }
}

const portal = (rest: string) => `projects: [{ name: Portal, ${rest} }]`
const web = (rest: string) => portal(`applications: [{ name: web, clientId: web, clientSecret: s, ${rest} }]`)
const callback = 'redirectUris: ["https://a.example/"]'

test('an application follows its file, field by field, and the trail names what changed', async () => {
  await using place = await openPlace()
  const first = await place.apply(web(`${callback}, logoUri: "https://a.example/logo.png", firstParty: true`))
  expect(first).toEqual(['project Portal: create', 'application web: create'])
  const changed = await place.apply(web(`${callback}, accessTokenType: jwt`))
  expect(changed).toEqual(['project Portal: none', 'application web: update accessTokenType firstParty logoUri'])
  const view = await place.catalogue.find('web')
  expect(view?.application).toMatchObject({ accessTokenType: 'jwt', firstParty: false, requirePkce: true, audience: 'project' })
  expect(view?.application.logoUri).toBeUndefined()
  const [event] = await place.stores.audit.list({ kind: 'application', id: view?.application.id ?? '' }, { limit: 1 })
  expect(event).toMatchObject({ type: 'application.changed', actor })
  expect(event?.payload).toEqual({ fields: ['accessTokenType', 'firstParty', 'logoUri'] })
})

test('a file is applied to what somebody changes while it is compared', async () => {
  await using place = await openPlace()
  await place.apply(web(callback))
  const projectId = (await place.catalogue.find('web'))?.project?.id ?? ''
  let adding: Promise<unknown> | undefined
  let compared = 0
  const watcher = {
    progress(step: string) {
      compared += step === 'comparing' ? 1 : 0
      // The second time is the one that counts: the projects have been read, and nothing of them has been written.
      if (compared === 2) adding ??= place.projects.addRoles(projectId, [{ key: 'added' }], actor)
    },
  }
  const file = `users: [{ username: jane, givenName: Jane, familyName: Doe }]\nprojects: [{ name: Portal, projectRoleAssertion: true }]`
  await place.apply(file, 'other.yaml', watcher)
  await adding
  expect(await place.catalogue.findProject(projectId)).toMatchObject({ projectRoleAssertion: true, roles: [{ key: 'added' }] })
})

test('a secret is kept where the file gives none, replaced where it gives another, and dropped with its method', async () => {
  await using place = await openPlace()
  const application = (rest: string) => portal(`applications: [{ name: web, clientId: web, ${callback}, ${rest} }]`)
  await place.apply(application('clientSecret: first'))
  const hash = async () => (await place.catalogue.find('web'))?.application.clientSecretHash
  const before = await hash()
  expect(await place.apply(application('type: web'))).toContain('application web: none')
  expect(await hash()).toBe(before)
  expect(await place.apply(application('clientSecret: second'))).toContain('application web: update clientSecret')
  expect(await place.apply(application('authMethod: none'))).toContain('application web: update authMethod clientSecret')
  expect(await hash()).toBeUndefined()
})

test('settings that a file leaves out have their defaults, and a file without settings leaves them alone', async () => {
  await using place = await openPlace()
  await place.apply('settings: { registration: open, accessTokenTtl: 15m }')
  expect((await place.catalogue.root()).settings).toMatchObject({
    registration: 'open',
    accessTokenTtlSeconds: 900,
    idTokenTtlSeconds: 43_200,
  })
  expect(await place.apply('organization: { name: Acme }')).toEqual(['organization Acme: update name'])
  expect((await place.catalogue.root()).settings.registration).toBe('open')
  expect(await place.apply('settings: { accessTokenTtl: 900s }')).toEqual(['settings settings: update registration'])
})

test('fields of the registration page and the looks of the organization follow the file', async () => {
  await using place = await openPlace()
  const fields = `fields: [{ key: ContractNumber, label: { en: Contract, de: Vertrag }, pattern: "[0-9]+", required: true }, { key: Team, label: Team }]`
  const looks = 'organization: { name: Acme, logoUri: "https://acme.example/logo.png", accentColor: "#0055aa" }'
  const file = `${looks}\nsettings: { registration: { mode: open, ${fields} }, selfManagedProfile: [givenName], accountDeletionGrace: 7d }`
  expect(await place.apply(file)).toEqual([
    'organization Acme: update name logoUri accentColor',
    'settings settings: update registration registrationFields selfManagedProfile accountDeletionGraceSeconds',
  ])
  expect((await place.catalogue.root()).settings).toMatchObject({
    registration: 'open',
    registrationFields: [
      { key: 'ContractNumber', label: { en: 'Contract', de: 'Vertrag' }, pattern: '[0-9]+', required: true },
      { key: 'Team', label: 'Team', required: false },
    ],
    selfManagedProfile: ['givenName'],
    accountDeletionGraceSeconds: 7 * 86_400,
  })
  expect(await place.apply(file)).toEqual(['organization Acme: none', 'settings settings: none'])
  const { catalogue } = await place.provisioning.export()
  expect(await place.apply(JSON.stringify(catalogue))).toEqual(['organization Acme: none', 'settings settings: none'])
  await place.apply('organization: { logoUri: "" }\nsettings: { registration: open }')
  const { organization, settings } = (await place.provisioning.export()).catalogue
  expect(organization).toEqual({ name: 'Acme', primaryDomain: 'localhost', accentColor: '#0055aa' })
  expect(settings).toMatchObject({ registration: 'open', selfManagedProfile: true, accountDeletionGrace: '30d' })
  const long = 'k'.repeat(201)
  expect(await place.faults(`settings: { registration: { mode: open, fields: [{ key: ${long}, label: A }] } }`)).toEqual([
    '1: settings.registration.fields[0].key: a metadata key must have 1 to 200 characters, not 201',
  ])
})

test('settings of a store that an older version wrote have the defaults of what that version did not know', async () => {
  await using place = await openPlace()
  const { registration, dynamicClientRegistration, accessTokenTtlSeconds, idTokenTtlSeconds, refreshTokenTtlSeconds, sessionTtlSeconds } =
    defaultSettings
  const older = {
    registration,
    dynamicClientRegistration,
    accessTokenTtlSeconds,
    idTokenTtlSeconds,
    refreshTokenTtlSeconds,
    sessionTtlSeconds,
  }
  await place.catalogue.commit({ settings: older as Settings, events: [] })
  expect((await place.catalogue.root()).settings).toEqual(defaultSettings)
  expect((await place.provisioning.export()).catalogue.settings).toMatchObject({ registration: 'closed', selfManagedProfile: true })
})

test('a user keeps what the file does not name', async () => {
  await using place = await openPlace()
  const roles = 'roles: [{ key: reader }, { key: writer }]'
  await place.apply(
    `${portal(roles)}\nusers: [{ username: jane, givenName: Jane, metadata: { a: "1", b: "2" }, roles: { Portal: [reader] } }]`,
  )
  const { id } = await place.user('jane')
  await place.users.edit(id, { profile: { givenName: 'Jane', nickName: 'JD' }, admin: true }, actor)
  const changes = await place.apply('users: [{ username: Jane, familyName: Doe, metadata: { b: "3", c: "4" } }]')
  expect(changes).toEqual(['user Jane: update username familyName metadata b metadata c'])
  const found = await place.users.findWithMetadata(id)
  expect(found?.user).toMatchObject({ username: 'Jane', profile: { givenName: 'Jane', familyName: 'Doe', nickName: 'JD' }, admin: true })
  expect(Object.values(found?.user.roles ?? {})).toEqual([['reader']])
  expect(Object.fromEntries(found?.metadata.map(({ key, value }) => [key, Buffer.from(value).toString()]) ?? [])).toEqual({
    a: '1',
    b: '3',
    c: '4',
  })
  expect(await place.apply('users: [{ username: Jane, roles: { Portal: [writer] } }]')).toEqual(['user Jane: update roles'])
})

test('a password that is still right is no change, another one ends the sessions', async () => {
  await using place = await openPlace()
  const file = (password: string) => `users: [{ username: jane, password: ${password} }]`
  await place.apply(file('first password'))
  const { id } = await place.user('jane')
  await place.stores.artifacts.put({ model: 'Session', id: 's', payload: {}, accountId: id })
  expect(await place.apply(file('first password'))).toEqual(['user jane: none'])
  expect(await place.stores.artifacts.find('Session', 's')).toBeDefined()
  expect(await place.apply(file('second password'))).toEqual(['user jane: update password'])
  expect(await place.stores.artifacts.find('Session', 's')).toBeUndefined()
  expect(await place.signIn({ name: 'jane', password: 'second password', address: '::1' })).toMatchObject({ kind: 'signedIn' })
})

test('an imported hash stays no change when a sign-in has replaced it by one of ours', async () => {
  await using place = await openPlace()
  const imported = await bcrypt('a good password', 4)
  const file = `users: [{ username: jane, passwordHash: "${imported}" }]`
  await place.apply(file)
  expect(await place.signIn({ name: 'jane', password: 'a good password', address: '::1' })).toMatchObject({ kind: 'signedIn' })
  expect((await place.user('jane')).passwordHash).toMatch(/^\$argon2id\$/)
  expect(await place.apply(file)).toEqual(['user jane: none'])
  await place.users.setPassword((await place.user('jane')).id, 'a password of her own', actor)
  expect(await place.apply(file)).toEqual(['user jane: update password'])
})

test('an id that is given is kept, finds its record under another name, and cannot change', async () => {
  await using place = await openPlace()
  const id = '63ed2dbe5960df2af7fd216e'
  await place.apply(`projects: [{ name: Portal, id: portal-1 }]\nusers: [{ username: jane, id: ${id} }]`)
  expect(await place.apply(`projects: [{ name: Gate, id: portal-1 }]\nusers: [{ username: janet, id: ${id} }]`)).toEqual([
    'project Gate: update name',
    'user janet: update username',
  ])
  expect((await place.users.get(id as UserId)).username).toBe('janet')
  expect(await place.faults(`projects: [{ name: Gate, id: portal-2 }]\nusers: [{ username: janet, id: ${id.replace('6', '7')} }]`)).toEqual(
    [
      '1: projects[0].id: is portal-1 in the store, and an id cannot change',
      `2: users[0].id: is ${id} in the store, and an id cannot change`,
    ],
  )
})

test('a client id cannot change, move to another project or be taken twice', async () => {
  await using place = await openPlace()
  await place.apply(web(callback))
  expect(await place.faults(portal(`applications: [{ name: web, clientId: other, ${callback} }]`))).toEqual([
    '1: projects[0].applications[0].clientId: is web in the store, and a client id cannot change',
  ])
  expect(await place.faults(`projects: [{ name: Gate, applications: [{ name: web, clientId: web, ${callback} }] }]`)).toEqual([
    '1: projects[0].applications[0].clientId: is taken by an application of another project than "Gate"',
  ])
  expect(
    await place.faults(portal(`applications: [{ name: a, clientId: x, ${callback} }, { name: b, clientId: x, ${callback} }]`)),
  ).toEqual(['1: projects[0].applications[1].clientId: "x" is listed twice'])
})

test('what a file no longer lists stays, and goes with prune when an apply of that file made it', async () => {
  await using place = await openPlace()
  await place.users.create({ kind: 'human', username: 'by-hand', profile: {} }, actor)
  const all = `projects:
  - { name: Portal, roles: [{ key: reader }, { key: writer }], applications: [{ name: a, type: api }, { name: b, type: api }] }
  - { name: Gate }
users: [{ username: jane }, { username: john }, { username: by-hand, givenName: Bea }]`
  const less = `projects:
  - { name: Portal, roles: [{ key: reader }], applications: [{ name: a, type: api }] }
users: [{ username: jane }]`
  await place.apply(all)
  expect(new Set((await place.apply(less)).map((line) => line.split(': ')[1]))).toEqual(new Set(['none']))
  expect((await place.apply(`prune: true\n${less}`, 'another.yaml')).filter((line) => line.endsWith('remove'))).toEqual([])
  expect(await place.apply(`prune: true\n${less}`, '/elsewhere/test.yaml')).toEqual([
    'project Portal: update roles',
    'application a: none',
    'application b: remove',
    'project Gate: remove',
    'user jane: none',
    'user john: remove',
  ])
  expect(await place.users.findByUsername('by-hand')).toBeDefined()
  expect(await place.users.findByUsername('john')).toBeUndefined()
})

test('pruning keeps a user whom the file lists under a new name', async () => {
  await using place = await openPlace()
  const id = '63ed2dbe5960df2af7fd216e'
  await place.apply(`prune: true\nusers: [{ username: jane, id: ${id} }]`)
  expect(await place.apply(`prune: true\nusers: [{ username: janet, id: ${id} }]`)).toEqual(['user janet: update username'])
  expect((await place.user('janet')).id).toBe(id)
})

test('an apply waits while another one holds the store, and goes on when that one died', async () => {
  await using place = await openPlace()
  const expiresAt = new Date(Date.now() + 500)
  await place.stores.artifacts.insert({ model: 'Lock', id: 'provisioning', payload: { owner: 'somebody' }, expiresAt })
  expect(await place.apply('users: [{ username: jane }]')).toEqual(['user jane: create'])
  expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime())
  expect(await place.stores.artifacts.find('Lock', 'provisioning')).toBeUndefined()
})

test('pruning leaves a project alone in which somebody else has put an application', async () => {
  await using place = await openPlace()
  await place.apply('projects: [{ name: Portal, applications: [{ name: a, type: api }] }]')
  await place.apply('projects: [{ name: Portal, applications: [{ name: b, type: api }] }]', 'another.yaml')
  expect(await place.apply('prune: true')).toEqual(['application a: remove'])
  expect((await place.catalogue.listProjects()).map(({ name }) => name)).toContain('Portal')
})

test('nothing at all is written when one user has a fault', async () => {
  await using place = await openPlace()
  const before = place.catalogue.revision()
  expect(await place.faults(`${web(callback)}\nusers: [{ username: jane, password: short }]`)).toHaveLength(1)
  expect(place.catalogue.revision()).toBe(before)
  expect(await place.users.isEmpty()).toBe(true)
})
