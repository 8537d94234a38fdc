import type { Provider } from 'oidc-provider'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'

const most = 5000

/**
 * Keeps the engine's Client objects until the catalogue changes: the engine alone hashes the metadata at every look, and forgets beyond a
 * hundred. Machine users are clients too, but not of the catalogue: they are looked up every time.
 */
export function installClientCache(provider: Provider, catalogue: Catalogue): void {
  const find = provider.Client.find.bind(provider.Client)
  const clients = new Map<string, InstanceType<Provider['Client']>>()
  let revision = Number.NaN
  Object.assign(provider.Client, {
    async find(id: unknown) {
      if (typeof id !== 'string') return undefined
      if (revision !== catalogue.revision()) {
        revision = catalogue.revision()
        clients.clear()
      }
      const known = clients.get(id)
      if (known) return known
      const before = revision
      const client = await find(id)
      if (client && client.machine_user_id === undefined && before === catalogue.revision()) {
        if (clients.size >= most) clients.delete(clients.keys().next().value as string)
        clients.set(id, client)
      }
      return client
    },
  })
}
