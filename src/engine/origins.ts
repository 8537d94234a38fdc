/** What an application says of where its pages are: as the engine's client, or as the catalogue has it. */
interface Client {
  readonly redirectUris?: readonly string[]
  readonly additional_origins?: readonly string[]
}

interface Application {
  readonly redirectUris: readonly string[]
  readonly additionalOrigins: readonly string[]
}

const known = new WeakMap<object, ReadonlySet<string>>()

/** The origins of an application's redirect URIs, and those it lists besides. They are taken apart once. */
function origins(of: object, redirectUris: readonly string[], more: readonly string[]): ReadonlySet<string> {
  let found = known.get(of)
  if (!found) {
    found = new Set([...redirectUris.filter((uri) => /^https?:/.test(uri)).map((uri) => new URL(uri).origin), ...more])
    known.set(of, found)
  }
  return found
}

export const ownOrigins = (client: Client) => origins(client, client.redirectUris ?? [], client.additional_origins ?? [])
export const originsOf = (application: Application) => origins(application, application.redirectUris, application.additionalOrigins)
