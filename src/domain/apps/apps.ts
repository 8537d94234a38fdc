import { isUtf8 } from 'node:buffer'
import { newObjectId } from '#src/base/ids.ts'
import type { Actor } from '../audit/events.ts'
import type { Following } from '../audit/following.ts'
import type { Recorder } from '../audit/recorder.ts'
import { type App, AppFaults, AppNotFound, type AppView, defaultRefreshTokenSeconds } from './app.ts'
import { readAppConfiguration } from './configuration.ts'
import { secretUsesOf } from './secretUses.ts'
import type { AppStore } from './store.ts'

export interface AppsDeps {
  readonly store: AppStore
  /** The number that moves with every write of the store. */
  readonly revision: () => number
  readonly recorder: Recorder
  /** Notes the moment from which triggers are told of what happens; what it answers is called once they are written. */
  readonly beginTriggers: Following['begin']
  readonly seal: (text: string, context: string) => string
  readonly unseal: (sealed: string, context: string) => string
}

/** Files by path, as bytes. */
export type Folder = ReadonlyMap<string, Buffer>

/** What a push changes, file by file. */
export interface PushedFile {
  readonly path: string
  readonly change: 'create' | 'update' | 'remove' | 'none'
}

export interface Pushed {
  readonly app: App
  readonly isNew: boolean
  readonly files: readonly PushedFile[]
  /** Files that are kept and do nothing. */
  readonly notServed: readonly string[]
  /** Secrets that the files name and that have no value yet. */
  readonly missingSecrets: readonly string[]
}

export type Apps = ReturnType<typeof createApps>

const mostBytes = 10 * 1024 * 1024

/** Apps, what their folders say, and changes to them. */
export function createApps({ store, revision, recorder, beginTriggers, seal, unseal }: AppsDeps) {
  let known: { readonly revision: number; readonly views: Promise<readonly AppView[]> } | undefined
  const about = (id: string) => ({ kind: 'app', id }) as const

  function views(): Promise<readonly AppView[]> {
    const now = revision()
    if (known?.revision !== now) {
      const reading = store.list().then((apps) => apps.map(viewOf))
      known = { revision: now, views: reading }
      reading.catch(() => {
        known = undefined
      })
    }
    return known.views
  }

  /** Writes `app` when its files are in order. @throws AppFaults */
  function checked(app: App): App {
    const { faults } = readAppConfiguration(textsOf(app.files))
    if (faults.length > 0) throw new AppFaults(faults)
    return { ...app, ids: idsOf(app), changedAt: recorder.now() }
  }

  /** Writes what may hold triggers, which are told of what happens from now on. */
  async function withTriggers<T>(write: () => Promise<T>): Promise<T> {
    const keep = await beginTriggers()
    const written = await write()
    // A server that looked before had nobody to tell, and forgot the moment.
    await keep()
    return written
  }

  async function existing(id: string): Promise<AppView> {
    const view = (await views()).find(({ app }) => app.id === id)
    if (!view) throw new AppNotFound(id)
    return view
  }

  return {
    /** All apps, oldest first. */
    list: views,

    async find(id: string): Promise<AppView | undefined> {
      return (await views()).find(({ app }) => app.id === id)
    },

    async findByClientAppId(clientAppId: string): Promise<AppView | undefined> {
      return (await views()).find(({ app }) => app.clientAppId === clientAppId)
    },

    /** @throws AppNotFound */
    get: existing,

    /**
     * Makes an app what a folder says; an app of that client id is made when there is none. Files that the folder has no longer go, and nothing is written when anything is
     * wrong. With `isDryRun` nothing is written at all.
     * @throws AppFaults, ClientAppIdTaken
     */
    async push(clientAppId: string, folder: Folder, actor: Actor, { isDryRun = false } = {}): Promise<Pushed> {
      assertFolder(folder, clientAppId)
      const files = Object.fromEntries([...folder].map(([path, bytes]) => [path, bytes.toString('base64')]))
      const current = (await views()).find(({ app }) => app.clientAppId === clientAppId)?.app
      const at = recorder.now()
      const name = nameIn(folder) ?? clientAppId
      const fresh: App = {
        id: newObjectId(at),
        clientAppId,
        name,
        files,
        ids: {},
        secrets: {},
        refreshTokenSeconds: defaultRefreshTokenSeconds,
        createdAt: at,
        changedAt: at,
      }
      const app = checked(current ? { ...current, name, files } : fresh)
      const changed = changesOf(current?.files ?? {}, files)
      const fields = changed.filter(({ change }) => change !== 'none').map(({ path }) => path)
      if (!isDryRun && (!current || fields.length > 0)) {
        await withTriggers(async () => {
          if (!current) return store.insert(app, [recorder.event('app.created', actor, about(app.id), { clientAppId })])
          await store.update(app.id, (before) => ({
            app: checked({ ...before, name, files }),
            events: [recorder.event('app.changed', actor, about(app.id), { fields })],
          }))
        })
      }
      const view = viewOf(app)
      return {
        app,
        isNew: current === undefined,
        files: changed,
        notServed: view.configuration.notServed,
        missingSecrets: [...new Set(secretUsesOf(view.configuration).map(({ secret }) => secret))].filter(
          (secret) => !Object.hasOwn(app.secrets, secret),
        ),
      }
    },

    /** Makes an app of nothing but its name. @throws AppFaults, ClientAppIdTaken */
    async create(name: string, clientAppId: string, actor: Actor): Promise<App> {
      if (!/^[a-zA-Z][\w-]{0,31}$/.test(name))
        throw new AppFaults(['realm_config.json: name: must be 1 to 32 letters, digits, "_" and "-", and begin with a letter'])
      const file = Buffer.from(`${JSON.stringify({ app_id: clientAppId, name }, null, 2)}\n`)
      return (await this.push(clientAppId, new Map([['realm_config.json', file]]), actor)).app
    },

    /**
     * Replaces files of an app; `undefined` takes one away. `edit` gets the text of those that are there, and may be asked again.
     * @throws AppNotFound, AppFaults
     */
    editFiles(id: string, edit: (view: AppView) => Readonly<Record<string, string | undefined>>, actor: Actor): Promise<App> {
      return withTriggers(() =>
        store.update(id, (before) => {
          const edited = edit(viewOf(before))
          const files = { ...before.files }
          for (const [path, text] of Object.entries(edited)) {
            if (text === undefined) delete files[path]
            else files[path] = Buffer.from(text).toString('base64')
          }
          const fields = changesOf(before.files, files)
            .filter(({ change }) => change !== 'none')
            .map(({ path }) => path)
          if (fields.length === 0) return undefined
          return { app: checked({ ...before, files }), events: [recorder.event('app.changed', actor, about(id), { fields })] }
        }),
      )
    },

    /** Sets how long refresh tokens live from now on. @throws AppNotFound */
    setRefreshTokenSeconds: (id: string, refreshTokenSeconds: number, actor: Actor): Promise<App> =>
      store.update(id, (before) =>
        before.refreshTokenSeconds === refreshTokenSeconds
          ? undefined
          : {
              app: { ...before, refreshTokenSeconds, changedAt: recorder.now() },
              events: [recorder.event('app.changed', actor, about(id), { fields: ['refreshTokenSeconds'] })],
            },
      ),

    /** Sets a secret, or takes it away when no value is given. @throws AppNotFound */
    setSecret: (id: string, name: string, value: string | undefined, actor: Actor): Promise<App> =>
      store.update(id, (before) => {
        const { [name]: _, ...others } = before.secrets
        const secrets = value === undefined ? others : { ...others, [name]: seal(value, contextOf(id, name)) }
        const app = { ...before, secrets, changedAt: recorder.now() }
        return { app: { ...app, ids: idsOf(app) }, events: [recorder.event('app.secret_changed', actor, about(id), { name })] }
      }),

    /** The value of a secret; `undefined` when it has none. @throws CannotUnseal */
    secretOf({ app }: Pick<AppView, 'app'>, name: string): string | undefined {
      const sealed = Object.hasOwn(app.secrets, name) ? app.secrets[name] : undefined
      return sealed === undefined ? undefined : unseal(sealed, contextOf(app.id, name))
    },

    /** The app's folder, as it was pushed. */
    filesOf: ({ files }: App): Folder => new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text, 'base64')])),

    /** Whether there was such an app. People who logged in through it stay. */
    remove: (id: string, actor: Actor): Promise<boolean> => store.remove(id, [recorder.event('app.removed', actor, about(id), {})]),
  }
}

const contextOf = (id: string, name: string) => `app ${id} secret ${name}`

const viewOf = (app: App): AppView => ({ app, configuration: readAppConfiguration(textsOf(app.files)).configuration })

const textsOf = (files: App['files']): ReadonlyMap<string, string> =>
  new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text, 'base64').toString('utf8')]))

/** The ids of everything that an app has by name: those until now, and new ones. What is gone keeps its id, in case it comes back. */
function idsOf(app: App): App['ids'] {
  const { configuration } = viewOf(app)
  const ids: Record<string, string> = { ...app.ids }
  const name = (kind: string, names: Iterable<string>, own: (name: string) => string | undefined = () => undefined) => {
    for (const each of names) ids[`${kind}/${each}`] = own(each) ?? ids[`${kind}/${each}`] ?? newObjectId()
  }
  name('provider', configuration.providers.keys())
  name('function', configuration.functions.keys(), (each) => configuration.functions.get(each)?.id)
  name('trigger', configuration.triggers.keys(), (each) => configuration.triggers.get(each)?.id)
  name('service', configuration.dataSources.keys())
  name('value', configuration.values.keys())
  name('secret', Object.keys(app.secrets))
  return ids
}

function assertFolder(folder: Folder, clientAppId: string): void {
  const faults: string[] = []
  if (!/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/i.test(clientAppId)) {
    faults.push(`realm_config.json: app_id: ${JSON.stringify(clientAppId)} must be letters, digits and "-", like myapp-abcde`)
  }
  let bytes = 0
  for (const [path, content] of folder) {
    bytes += content.length
    if (/\.(js|json)$/.test(path) && !isUtf8(content)) faults.push(`${path}: is not UTF-8`)
  }
  if (bytes > mostBytes) faults.push(`the files have ${bytes} bytes together; at most ${mostBytes} are kept`)
  if (faults.length > 0) throw new AppFaults(faults)
}

function nameIn(folder: Folder): string | undefined {
  try {
    const { name } = JSON.parse(folder.get('realm_config.json')?.toString('utf8') ?? '{}') as { name?: unknown }
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined
  }
}

function changesOf(before: App['files'], after: App['files']): readonly PushedFile[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
  return paths.map((path) => {
    if (!Object.hasOwn(before, path)) return { path, change: 'create' }
    if (!Object.hasOwn(after, path)) return { path, change: 'remove' }
    return { path, change: before[path] === after[path] ? 'none' : 'update' }
  })
}
