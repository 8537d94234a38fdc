/** A server with one App Services app, and `realm-web` to log in to it. */
import { EJSON } from 'bson'
import * as Realm from 'realm-web'
import { type IdpOptions, startIdp } from '../../support/idp.ts'

const actor = { kind: 'system' } as const

/** Files of an app by path; what is no text is JSON. */
export type AppFiles = Readonly<Record<string, unknown>>

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

const folderOf = (files: AppFiles) => new Map(Object.entries(files).map(([path, value]) => [path, Buffer.from(text(value))]))

/** `auth/providers.json` with these providers, each with its further fields. */
export const providersFile = (providers: Readonly<Record<string, object>>) => ({
  'auth/providers.json': Object.fromEntries(
    Object.entries(providers).map(([type, rest]) => [type, { name: type, type, disabled: false, ...rest }]),
  ),
})

export const dataSourceFiles = { 'data_sources/mongodb-atlas/config.json': { name: 'mongodb-atlas', type: 'mongodb-atlas' } }

/** `functions/config.json` and a source for each. */
export const functionFiles = (functions: Readonly<Record<string, string>>, fields: Readonly<Record<string, object>> = {}) => ({
  'functions/config.json': Object.keys(functions).map((name) => ({ name, private: false, ...fields[name] })),
  ...Object.fromEntries(Object.entries(functions).map(([name, source]) => [`functions/${name}.js`, source])),
})

export type Place = Awaited<ReturnType<typeof startPlace>>

let number = 0

export async function startPlace(files: AppFiles, options: IdpOptions = {}) {
  const idp = await startIdp(options)
  const clientAppId = 'myapp-abcde'
  const { app } = await idp.domain.apps.push(
    clientAppId,
    folderOf({ 'realm_config.json': { app_id: clientAppId, name: 'My app' }, ...files }),
    actor,
  )

  return {
    ...idp,
    app,
    clientAppId,
    /** A client of its own: nothing of it is shared with another. */
    client(id = clientAppId) {
      number += 1
      return new Realm.App({ id, baseUrl: idp.issuer, storage: new MemoryStorage(`client-${number}`) as never })
    },
    push: (next: AppFiles) =>
      idp.domain.apps.push(clientAppId, folderOf({ 'realm_config.json': { app_id: clientAppId, name: 'My app' }, ...next }), actor),
    async call(
      method: string,
      path: string,
      { token, body, headers = {} }: { token?: string | null; body?: unknown; headers?: Record<string, string> } = {},
    ) {
      const reply = await fetch(`${idp.issuer}/api/client/v2.0${path}`, {
        method,
        headers: {
          ...(token && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : EJSON.stringify(body) }),
      })
      const answer = await reply.text()
      return { status: reply.status, headers: reply.headers, body: answer === '' ? undefined : JSON.parse(answer) }
    },
  }
}

/** What `realm-web` keeps in a browser's storage. */
class MemoryStorage {
  readonly #values: Map<string, string>
  readonly #prefix: string
  readonly #listeners = new Set<() => void>()
  constructor(prefix: string, values = new Map<string, string>()) {
    this.#prefix = prefix
    this.#values = values
  }
  get(key: string) {
    return this.#values.get(`${this.#prefix}:${key}`) ?? null
  }
  set(key: string, value: string) {
    this.#values.set(`${this.#prefix}:${key}`, value)
    for (const listener of this.#listeners) listener()
  }
  remove(key: string) {
    this.#values.delete(`${this.#prefix}:${key}`)
  }
  prefix(part: string) {
    return new MemoryStorage(`${this.#prefix}:${part}`, this.#values)
  }
  clear(prefix = '') {
    for (const key of this.#values.keys()) if (key.startsWith(`${this.#prefix}:${prefix}`)) this.#values.delete(key)
  }
  addListener(listener: () => void) {
    this.#listeners.add(listener)
  }
  removeListener(listener: () => void) {
    this.#listeners.delete(listener)
  }
}
