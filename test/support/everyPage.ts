/** Every page of ours, with something on each: what tests look at, and what pictures are made of. */
import { readFileSync } from 'node:fs'
import type { Actor } from '#src/domain/audit/events.ts'
import type { User } from '#src/domain/users/user.ts'
import { type Idp, person } from './idp.ts'

const system: Actor = { kind: 'system' }

/** A page, by a name for people and its address. */
interface NamedPage {
  readonly name: string
  readonly path: string
  /** The address as the router has it. */
  readonly route: string
}

export interface FilledIdp {
  readonly admin: User
  readonly pages: readonly NamedPage[]
}

const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

/** Fills a server with somebody who manages, people with metadata of every kind, a machine, an app of App Services with all that it can have, and what happened to them. */
export async function fill(idp: Idp): Promise<FilledIdp> {
  const { users, metadata, apps, catalogue, keys } = idp.domain
  const { ownProjectId } = await catalogue.root()
  const admin = await users.create(
    { ...person({ username: 'ada', profile: { displayName: 'Ada Admin', email: 'ada@acme.example', emailVerified: true } }), admin: true },
    system,
  )
  const names = ['Road Runner', 'Wile Coyote', 'Bugs Bunny', 'Daffy Duck', 'Elmer Fudd', 'Porky Pig', 'Sylvester Cat', 'Tweety Bird']
  for (const name of names) {
    const [givenName = '', familyName = ''] = name.split(' ')
    const username = name.toLowerCase().replace(' ', '.')
    await users.create({ kind: 'human', username, profile: { givenName, familyName, email: `${username}@acme.example` } }, system)
  }
  const machine = await users.create({ kind: 'machine', username: 'inventory-sync', profile: { displayName: 'Inventory' } }, system)
  const { keyId: machineKey } = await users.createKey(machine.id, {}, system)
  await users.createSecret(machine.id, system)
  const { id: machineToken } = await users.createToken(machine.id, { name: 'for the night' }, system)
  await metadata.set(
    idp.jane.id,
    [
      { key: 'Preferences', value: Buffer.from('{"theme":"dark","languages":["en","de"]}') },
      { key: 'Logo', value: pixel },
      { key: 'Raw', value: Buffer.from([0, 255, 1, 254]) },
      { key: 'Note', value: Buffer.from('Prefers to be called in the afternoon.') },
    ],
    { kind: 'user', id: admin.id },
  )
  await users.createToken(idp.jane.id, { name: 'for curl' }, system)
  await keys.rotate({ longestTokenSeconds: 60 }, system)
  const { settings } = await catalogue.root()
  await catalogue.commit({
    settings: { ...settings, registration: 'open', selfManagedMetadata: ['ContractNumber', 'Preferences'] },
    events: [],
  })
  const { keyId } = await idp.domain.applications.addKey(idp.web.id, system)
  const { app } = await apps.push('shop-abcde', folder(), system)
  await apps.setSecret(app.id, 'googleSecret', 'a secret', system)
  const identity = {
    app: app.id,
    provider: 'oauth2-google',
    key: 'jane',
    id: 'jane',
    data: { email: 'jane@acme.example', name: 'Jane' },
    createdAt: new Date().toISOString(),
    usedAt: new Date().toISOString(),
  }
  await users.addIdentity(idp.jane.id, identity, system)
  await users.regrant(admin.id, () => ({ roles: { [ownProjectId]: ['ORG_OWNER'] } }), system)

  const { sequence } = await metadata.get(idp.jane.id, 'Note')
  const [kid = ''] = (await keys.list()).filter(({ phase }) => phase !== 'signing').map((key) => key.kid)
  const about: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    console: {
      id: idp.jane.id,
      project: idp.project.id,
      application: idp.web.id,
      app: app.id,
      type: 'oauth2-google',
      key: segment('Note'),
      identity: segment(JSON.stringify([identity.app, identity.provider, identity.id])),
      sequence: String(sequence),
    },
  }
  const queries: Readonly<Record<string, string>> = {
    '/console/keys/retire': `kid=${kid}`,
    '/console/projects/:project/role': 'key=reader',
    '/console/projects/:project/applications/new': 'kind=web',
    '/console/applications/:application/key': `key=${keyId}`,
    '/console/apps/:app/provider-new': 'name=acme',
    '/console/apps/:app/function': 'name=discount',
    '/console/apps/:app/function/remove': 'name=discount',
    '/console/apps/:app/trigger': 'name=nightly',
    '/console/apps/:app/trigger/remove': 'name=nightly',
    '/console/apps/:app/value': 'name=currency',
    '/console/apps/:app/value/remove': 'name=currency',
    '/console/apps/:app/secret': 'name=googleSecret',
    '/console/apps/:app/secret/remove': 'name=googleSecret',
    '/account/data/metadata': 'key=ContractNumber',
    '/playground/address': `client_id=${idp.web.clientId}&wanted=yes`,
  }
  const pages = idp.pages
    .filter(({ method, path }) => method === 'GET' && !/\/(?:callback|export|file|image|download)$/.test(path))
    .map(({ path: route }) => {
      // Only a service account gets keys, secrets and tokens made by others.
      const values: Readonly<Record<string, string>> = {
        ...about[route.split('/')[1] ?? ''],
        ...(/\/credentials\/./.test(route) && { id: machine.id, key: machineKey, token: machineToken }),
      }
      const path = route.replace(/:(\w+)/g, (whole, name: string) => encodeURIComponent(values[name] ?? whole))
      return {
        name: route.slice(1).replaceAll('/', '-').replaceAll(':', '') || 'home',
        route,
        path: queries[route] ? `${path}?${queries[route]}` : path,
      }
    })
  return { admin, pages }
}

const segment = (text: string) => Buffer.from(text).toString('base64url')

/** The folder of an app with a provider that has metadata fields, custom user data, functions and triggers. */
function folder(): ReadonlyMap<string, Buffer> {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value, null, 2))
  const fields = [{ name: 'email', required: true }, { name: 'name' }, { name: 'picture' }]
  return new Map([
    ['realm_config.json', json({ name: 'Shop', app_id: 'shop-abcde' })],
    [
      'auth/providers.json',
      json({
        'anon-user': { name: 'anon-user', type: 'anon-user', disabled: false },
        'local-userpass': { name: 'local-userpass', type: 'local-userpass', disabled: false, config: { autoConfirm: true } },
        'oauth2-google': {
          name: 'oauth2-google',
          type: 'oauth2-google',
          disabled: false,
          config: { clientId: 'shop.apps.example' },
          secret_config: { clientSecret: 'googleSecret' },
          metadata_fields: fields,
        },
      }),
    ],
    [
      'auth/custom_user_data.json',
      json({
        enabled: true,
        mongo_service_name: 'mongodb-atlas',
        database_name: 'shop',
        collection_name: 'customers',
        user_id_field: 'user_id',
        on_user_creation_function_name: 'onUserCreation',
      }),
    ],
    ['data_sources/mongodb-atlas/config.json', json({ name: 'mongodb-atlas', type: 'mongodb-atlas', config: { clusterName: 'Shop' } })],
    ['functions/config.json', json([{ name: 'onUserCreation', private: true }, { name: 'discount' }])],
    ['functions/onUserCreation.js', readFileSync(new URL('../../examples/app-services/functions/onUserCreation.js', import.meta.url))],
    ['functions/discount.js', Buffer.from('exports = async function (percent) {\n  return { percent }\n}\n')],
    [
      'triggers/nightly.json',
      json({ name: 'nightly', type: 'SCHEDULED', config: { schedule: '0 3 * * *' }, function_name: 'discount', disabled: false }),
    ],
    ['values/currency.json', json({ name: 'currency', value: 'EUR', from_secret: false })],
  ])
}
