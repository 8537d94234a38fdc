import { expect, test } from 'vitest'
import { type App, AppNotFound, ClientAppIdTaken } from '#src/domain/apps/app.ts'
import { at, atOnce, later, type Open, oddKeys, recorder, system } from './contract.ts'

const app = (id: string, more: Partial<App> = {}): App => ({
  id,
  clientAppId: `myapp-${id}`,
  name: `App ${id}`,
  files: {},
  ids: {},
  secrets: {},
  refreshTokenSeconds: 5_184_000,
  createdAt: at,
  changedAt: at,
  ...more,
})

const told = (id: string) => recorder.event('app.created', system, { kind: 'app', id }, { clientAppId: `myapp-${id}` })

export function appsContract(open: Open): void {
  test('apps come back as written, oldest first, whatever their files are called', async () => {
    await using stores = await open()
    const odd = Object.fromEntries(oddKeys.map((key) => [key, Buffer.from(key).toString('base64')]))
    const apps = [app('z', { createdAt: later(-1) }), app('a', { files: odd, ids: odd, secrets: odd })]
    for (const each of apps.toReversed()) await stores.apps.insert(each, [told(each.id)])
    expect(await stores.apps.list()).toStrictEqual(apps)
    expect(await stores.audit.list({ kind: 'app', id: 'a' }, { limit: 5 })).toMatchObject([{ type: 'app.created' }])
  })

  test('a client app id is taken once, and a write that is refused leaves nothing', async () => {
    await using stores = await open()
    await stores.apps.insert(app('a'), [])
    await stores.apps.insert(app('b'), [])
    const taken = app('c', { clientAppId: 'myapp-a' })
    await expect(stores.apps.insert(taken, [told('c')])).rejects.toThrow(ClientAppIdTaken)
    const renaming = stores.apps.update('b', (current) => ({ app: { ...current, clientAppId: 'myapp-a' }, events: [told('c')] }))
    await expect(renaming).rejects.toThrow(ClientAppIdTaken)
    expect(await stores.apps.list()).toStrictEqual([app('a'), app('b')])
    expect(await stores.audit.list({ kind: 'app', id: 'c' }, { limit: 5 })).toEqual([])
  })

  test('changes at once are made one after the other', async () => {
    await using stores = await open()
    await stores.apps.insert(app('a'), [])
    const before = stores.catalogue.revision()
    await atOnce(20, (index) =>
      stores.apps.update('a', (current) => ({ app: { ...current, files: { ...current.files, [`f${index}`]: '' } }, events: [] })),
    )
    expect(Object.keys((await stores.apps.list())[0]?.files ?? {})).toHaveLength(20)
    expect(stores.catalogue.revision()).not.toBe(before)
    await expect(stores.apps.update('none', () => undefined)).rejects.toThrow(AppNotFound)
    expect(await stores.apps.update('a', () => undefined)).toMatchObject({ id: 'a' })
  })

  test('an app that is removed is gone, once', async () => {
    await using stores = await open()
    await stores.apps.insert(app('a'), [])
    expect(await stores.apps.remove('a', [])).toBe(true)
    expect(await stores.apps.remove('a', [told('a')])).toBe(false)
    expect(await stores.apps.list()).toEqual([])
    expect(await stores.audit.list({ kind: 'app', id: 'a' }, { limit: 5 })).toEqual([])
  })
}
