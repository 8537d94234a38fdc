/** Changes of one thing in an app's folder: what the admin API does. Names and ids of things are those of the folder; the files stay readable. */
import type { App, AppView } from './app.ts'
import { AppRefused } from './failures.ts'

/** Files to write, by path; `undefined` takes one away. */
export type Edit = Readonly<Record<string, string | undefined>>

export type Kind = 'provider' | 'function' | 'trigger' | 'service' | 'value' | 'secret'

const notFound: Readonly<Record<Kind, readonly [code: string, what: string]>> = {
  provider: ['AuthProviderNotFound', 'authentication provider'],
  function: ['FunctionNotFound', 'function'],
  trigger: ['TriggerNotFound', 'trigger'],
  service: ['ServiceNotFound', 'service'],
  value: ['ValueNotFound', 'value'],
  secret: ['SecretNotFound', 'secret'],
}

export const idOf = (app: App, kind: Kind, name: string): string | undefined => app.ids[`${kind}/${name}`]

/** The name of what has an id, if it is there still. @throws AppRefused */
export function nameOf({ app, configuration }: AppView, kind: Kind, id: string): string {
  const known: Readonly<Record<Kind, (name: string) => boolean>> = {
    provider: (name) => configuration.providers.has(name),
    function: (name) => configuration.functions.has(name),
    trigger: (name) => configuration.triggers.has(name),
    service: (name) => configuration.dataSources.has(name),
    value: (name) => configuration.values.has(name),
    secret: (name) => Object.hasOwn(app.secrets, name),
  }
  const found = Object.entries(app.ids).find(
    ([key, each]) => each === id && key.startsWith(`${kind}/`) && known[kind](key.slice(kind.length + 1)),
  )
  const [code, what] = notFound[kind]
  if (!found) throw new AppRefused(404, code, `${what} not found: '${id}'`)
  return found[0].slice(kind.length + 1)
}

/** A file of the folder as JSON; `otherwise` when there is none. */
function jsonOf<T>({ app }: Pick<AppView, 'app'>, path: string, otherwise: T): T {
  const text = Object.hasOwn(app.files, path) ? Buffer.from(app.files[path] ?? '', 'base64').toString('utf8') : undefined
  return text === undefined ? otherwise : (JSON.parse(text) as T)
}

const written = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

type Fields = Readonly<Record<string, unknown>>
const providersPath = 'auth/providers.json'

/** Puts a provider, or takes it away. */
export function providerEdit(view: AppView, type: string, provider: Fields | undefined): Edit {
  const { [type]: _, ...others } = jsonOf<Readonly<Record<string, Fields>>>(view, providersPath, {})
  return { [providersPath]: written(provider ? { ...others, [type]: provider } : others) }
}

export const providerIn = (view: AppView, type: string): Fields =>
  jsonOf<Readonly<Record<string, Fields>>>(view, providersPath, {})[type] ?? {}

const functionsPath = 'functions/config.json'
type Listed = Fields & { readonly name: string }

/** Puts a function, or takes it away. */
export function functionEdit(view: AppView, name: string, given: { readonly fields: Fields; readonly source?: string } | undefined): Edit {
  const listed = jsonOf<readonly Listed[]>(view, functionsPath, [])
  const before = listed.find((each) => each.name === name)
  const others = listed.filter((each) => each.name !== name)
  const path = view.configuration.functions.get(name)?.path ?? `functions/${name}.js`
  if (!given) return { [functionsPath]: written(others), [path]: undefined }
  const next = { ...before, ...given.fields, name }
  const list = before ? listed.map((each) => (each.name === name ? next : each)) : [...listed, next]
  return { [functionsPath]: written(list), ...(given.source !== undefined && { [path]: given.source }) }
}

export const functionIn = (view: AppView, name: string): Fields =>
  jsonOf<readonly Listed[]>(view, functionsPath, []).find((each) => each.name === name) ?? {}

/** Puts a value, or takes it away. Its file may be called otherwise than the value, whose name may be no name of a file. */
export function valueEdit(view: AppView, name: string, value: Fields | undefined): Edit {
  const nameIn = (path: string) => jsonOf<Fields>(view, path, {}).name ?? path.slice('values/'.length, -'.json'.length)
  const path = Object.keys(view.app.files).find((each) => /^values\/[^/]+\.json$/.test(each) && nameIn(each) === name)
  return { [path ?? `values/${name}.json`]: value && written({ ...value, name }) }
}

/** Puts a trigger, or takes it away. */
export const triggerEdit = ({ configuration }: AppView, name: string, trigger: Fields | undefined): Edit => ({
  [configuration.triggers.get(name)?.path ?? `triggers/${name}.json`]: trigger && written({ ...trigger, name }),
})

export const triggerIn = (view: AppView, name: string): Fields =>
  jsonOf<Fields>(view, view.configuration.triggers.get(name)?.path ?? '', {})

/** Takes a data source away, with its rules. */
export function serviceRemoval({ app }: AppView, name: string): Edit {
  const paths = Object.keys(app.files).filter((path) => path.startsWith(`data_sources/${name}/`))
  return Object.fromEntries(paths.map((path) => [path, undefined]))
}

export const customUserDataEdit = (value: Fields): Edit => ({ 'auth/custom_user_data.json': written(value) })
