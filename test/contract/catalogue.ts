import { expect, test } from 'vitest'
import {
  type Application,
  CatalogueMoved,
  ClientIdTaken,
  defaultSettings,
  type Organization,
  type Project,
} from '#src/domain/applications/application.ts'
import { createCatalogue } from '#src/domain/applications/catalogue.ts'
import type { CatalogueChange } from '#src/domain/applications/store.ts'
import type { Stores } from '#src/domain/stores.ts'
import * as records from '../support/records.ts'
import { at, atOnce, eventually, later, type Open, oddKeys, recorder, system } from './contract.ts'

const project = (id: string, more: Partial<Project> = {}) =>
  records.project({ id, name: `Project ${id}`, createdAt: at, changedAt: at, ...more })

const application = (id: string, more: Partial<Application> = {}) =>
  records.application({
    id,
    projectId: 'p',
    name: id,
    clientId: `client-${id}`,
    redirectUris: ['https://app.example/callback?a=b'],
    accessTokenRoleAssertion: true,
    createdAt: at,
    changedAt: at,
    ...more,
  })

const organization: Organization = { id: 'o', name: 'Acme', primaryDomain: 'acme.example', pairwiseSalt: 'salt' }

const commit = ({ catalogue }: Stores, change: Partial<CatalogueChange>) => catalogue.commit({ events: [], ...change })

const told = (id: string) => recorder.event('project.created', system, { kind: 'project', id }, { name: id })

export function catalogueContract(open: Open): void {
  test('what there is one of is absent at first, and changes a part at a time', async () => {
    await using stores = await open()
    expect(await stores.catalogue.root()).toBeUndefined()
    await commit(stores, { organization })
    await commit(stores, { settings: defaultSettings })
    expect(await stores.catalogue.root()).toBeUndefined()
    await commit(stores, { organization, settings: defaultSettings, ownProjectId: 'own' })
    expect(await stores.catalogue.root()).toStrictEqual({ organization, settings: defaultSettings, ownProjectId: 'own' })
    await commit(stores, { settings: { ...defaultSettings, registration: 'open', idTokenTtlSeconds: 1 } })
    expect(await stores.catalogue.root()).toStrictEqual({
      organization,
      settings: { ...defaultSettings, registration: 'open', idTokenTtlSeconds: 1 },
      ownProjectId: 'own',
    })
  })

  test('a change that was made from an older state is refused whole', async () => {
    await using stores = await open()
    const basis = await stores.catalogue.newestRevision()
    await commit(stores, { putProjects: [project('a')] })
    const late = commit(stores, { basis, putProjects: [project('b')], settings: defaultSettings, events: [told('b')] })
    await expect(late).rejects.toThrow(CatalogueMoved)
    expect(await stores.catalogue.listProjects()).toStrictEqual([project('a')])
    const newest = await stores.catalogue.newestRevision()
    await commit(stores, { basis: newest, putProjects: [project('b')] })
    expect(await stores.catalogue.listProjects()).toStrictEqual([project('a'), project('b')])
    expect(await stores.catalogue.newestRevision()).not.toBe(newest)
  })

  test('projects come back as written, oldest first', async () => {
    await using stores = await open()
    const provisionedBy = '/etc/dossier/catalogue.yaml'
    const roles = [{ key: 'a.b' }, { key: '$set', displayName: 'Set', group: '__proto__', provisionedBy }]
    const projects = [
      project('z', { createdAt: later(-1) }),
      project('a', { roles, projectRoleAssertion: true, provisionedBy }),
      project('b', { active: false }),
    ]
    await commit(stores, { putProjects: [...projects].reverse() })
    expect(await stores.catalogue.listProjects()).toStrictEqual(projects)
    expect(await stores.catalogue.findProject('a')).toStrictEqual(projects[1])
    expect(await stores.catalogue.findProject('none')).toBeUndefined()
    const renamed = project('a', { name: 'Renamed', changedAt: later(1) })
    await commit(stores, { putProjects: [renamed], removeProjects: ['z', 'none'] })
    expect(await stores.catalogue.listProjects()).toStrictEqual([renamed, projects[2]])
  })

  test('applications come back as written, by client id and by project, oldest first', async () => {
    await using stores = await open()
    const jwks = { keys: [JSON.parse('{"kty":"RSA","x5t#S256":"…","a.b":{"$c":null},"__proto__":{"d":1}}')] }
    const applications = [
      application('z', {
        createdAt: later(-1),
        jwks,
        clientSecretHash: 'hash',
        authMethod: 'privateKeyJwt',
        backChannelLogoutUri: 'https://a.example',
      }),
      application('a', { active: false, clientId: '$a.b __proto__', provisionedBy: '/etc/dossier/catalogue.yaml' }),
      application('b', { logoUri: undefined }),
    ]
    const elsewhere = application('c', { projectId: 'q' })
    await commit(stores, { putApplications: [elsewhere, ...[...applications].reverse()] })
    expect(await stores.catalogue.listApplications('p')).toEqual(applications)
    expect(JSON.stringify((await stores.catalogue.findApplication('client-z'))?.jwks)).toBe(JSON.stringify(jwks))
    expect(await stores.catalogue.findApplication('$a.b __proto__')).toStrictEqual(applications[1])
    expect(await stores.catalogue.findApplication('CLIENT-Z')).toBeUndefined()
    expect(await stores.catalogue.listApplications('none')).toEqual([])
    expect(await stores.catalogue.countApplications()).toEqual(
      new Map([
        ['p', applications.length],
        ['q', 1],
      ]),
    )
    const changed = application('z', { projectId: 'q', clientId: 'other', createdAt: later(-1) })
    await commit(stores, { putApplications: [changed], removeApplications: ['a', 'none'] })
    expect(await stores.catalogue.findApplication('client-z')).toBeUndefined()
    expect(await stores.catalogue.findApplication('other')).toStrictEqual(changed)
    expect(await stores.catalogue.listApplications('q')).toEqual([changed, elsewhere])
    expect(await stores.catalogue.listApplications('p')).toEqual([applications[2]])
    for (const clientId of oddKeys) await commit(stores, { putApplications: [application(`odd ${clientId}`, { clientId })] })
    for (const clientId of oddKeys) expect(await stores.catalogue.findApplication(clientId)).toMatchObject({ clientId })
  })

  test('a client id is taken once, and a commit that is refused leaves nothing behind', async () => {
    await using stores = await open()
    await commit(stores, { putApplications: [application('a')] })
    const before = stores.catalogue.revision()
    const refused = commit(stores, {
      organization,
      putProjects: [project('new')],
      putApplications: [application('fine'), application('b', { clientId: 'client-a' })],
      removeApplications: ['a-not'],
      events: [told('new')],
    })
    await expect(refused).rejects.toThrow(ClientIdTaken)
    const event = told('p')
    await expect(commit(stores, { putProjects: [project('new')], events: [event, event] })).rejects.toThrow()
    expect(await stores.catalogue.listProjects()).toEqual([])
    expect(await stores.catalogue.listApplications('p')).toEqual([application('a')])
    expect(await stores.audit.list({ kind: 'project', id: 'new' }, { limit: 10 })).toEqual([])
    expect(stores.catalogue.revision()).toBe(before)
    await commit(stores, { removeApplications: ['a'], putApplications: [application('b', { clientId: 'client-a' })] })
    expect(await stores.catalogue.findApplication('client-a')).toMatchObject({ id: 'b' })
  })

  test('of ten who want one client id at once, one gets it, and commits that do not meet all happen', async () => {
    await using stores = await open()
    await using others = await stores.again()
    const outcomes = await atOnce(10, (n) =>
      commit(n % 2 ? stores : others, { putApplications: [application(`${n}`, { clientId: 'same' })] }),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ClientIdTaken)
    const projects = await atOnce(10, (n) => commit(n % 2 ? stores : others, { putProjects: [project(`${n}`)], events: [told(`${n}`)] }))
    expect(projects.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(await stores.catalogue.listProjects()).toHaveLength(10)
  })

  test('of changes that are decided at once, in two processes, none is lost', async () => {
    await using stores = await open()
    await using others = await stores.again()
    await commit(stores, { putProjects: [project('p'), project('q')] })
    const added = await atOnce(20, (n) =>
      (n % 2 ? stores : others).catalogue.change({ projectId: 'p' }, ({ projects }) => {
        const [current] = projects
        if (current?.id !== 'p') throw new TypeError('the oldest project comes first')
        return { putProjects: [{ ...current, roles: [...current.roles, { key: `role-${n}` }] }], events: [told('p')] }
      }),
    )
    expect(added.filter(({ status }) => status === 'rejected')).toEqual([])
    const keys = (await stores.catalogue.findProject('p'))?.roles.map(({ key }) => key)
    expect(keys?.toSorted()).toEqual(Array.from({ length: 20 }, (_, n) => `role-${n}`).toSorted())
    expect(await stores.audit.list({ kind: 'project', id: 'p' }, { limit: 100 })).toHaveLength(20)
  })

  test('a change is decided on the applications that it is about; one that is refused, or nothing, leaves everything as it was', async () => {
    await using stores = await open()
    const applications = [application('a'), application('b')]
    await commit(stores, { putProjects: [project('p')], putApplications: [...applications, application('c', { projectId: 'q' })] })
    const before = stores.catalogue.revision()
    const seen: (readonly string[])[] = []
    for (const scope of [{ projectId: 'p' }, { projectId: 'p', clientId: 'client-b' }, { projectId: 'q', clientId: 'client-b' }]) {
      await stores.catalogue.change(scope, (current) => {
        seen.push(current.applications.map(({ id }) => id))
        return undefined
      })
    }
    expect(seen).toEqual([['a', 'b'], ['b'], []])
    const refused = stores.catalogue.change({ projectId: 'p' }, () => {
      throw new ClientIdTaken('refused')
    })
    await expect(refused).rejects.toThrow(ClientIdTaken)
    const taken = stores.catalogue.change({ projectId: 'p' }, () => ({
      putApplications: [application('d', { clientId: 'client-a' })],
      removeProjects: ['p'],
      events: [],
    }))
    await expect(taken).rejects.toThrow(ClientIdTaken)
    expect(stores.catalogue.revision()).toBe(before)
    expect(await stores.catalogue.listApplications('p')).toEqual(applications)
    expect(await stores.catalogue.findApplicationById('b')).toEqual(applications[1])
    expect(await stores.catalogue.findApplicationById('client-b')).toBeUndefined()
    await stores.catalogue.change({ projectId: 'p' }, () => ({ removeProjects: ['p'], removeApplications: ['a'], events: [] }))
    expect(stores.catalogue.revision()).not.toBe(before)
    expect(await stores.catalogue.listProjects()).toEqual([])
    expect(await stores.catalogue.listApplications('p')).toEqual([applications[1]])
  })

  test('the revision is another number at once after an own commit, and soon after one of another process', async () => {
    await using stores = await open()
    await using others = await stores.again()
    const seen = new Set<number>()
    for (const [number, change] of [{ organization }, { putProjects: [project('p')] }, {}].entries()) {
      const before = [stores.catalogue.revision(), others.catalogue.revision()]
      await commit(stores, change)
      seen.add(stores.catalogue.revision())
      expect(stores.catalogue.revision()).not.toBe(before[0])
      await eventually(others.catalogue.revision, (revision) => revision !== before[1])
      expect([number, others.catalogue.revision()]).toEqual([number, stores.catalogue.revision()])
    }
    const before = others.catalogue.revision()
    await stores.keys.commit({ put: [], remove: [], events: [] })
    seen.add(stores.catalogue.revision())
    expect(await eventually(others.catalogue.revision, (revision) => revision !== before)).not.toBe(before)
    expect(seen.size).toBe(4)
    await using third = await stores.again()
    expect(third.catalogue.revision()).toBe(stores.catalogue.revision())
  })

  test('what one process changes, the catalogue of another soon shows', async () => {
    await using stores = await open()
    await using others = await stores.again()
    const [mine, theirs] = [stores, others].map((each) => createCatalogue({ store: each.catalogue, recorder }))
    await mine?.commit({ putProjects: [project('p')], events: [] })
    const name = async () => (await theirs?.find('client-a'))?.application.name
    expect(await name()).toBeUndefined()
    await mine?.commit({ putApplications: [application('a')], events: [] })
    expect(await eventually(name, (answer) => answer !== undefined)).toBe('a')
    await mine?.commit({ putApplications: [application('a', { name: 'renamed' })], events: [] })
    expect(await eventually(name, (answer) => answer === 'renamed')).toBe('renamed')
    await mine?.commit({ removeApplications: ['a'], events: [] })
    expect(await eventually(name, (answer) => answer === undefined)).toBeUndefined()
  })
}
