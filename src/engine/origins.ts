/** What an application says of where its browsers are. */
interface OriginsOf {
  readonly redirectUris?: readonly string[]
  readonly additional_origins?: readonly string[]
}

const originsByClient = new WeakMap<object, ReadonlySet<string>>()

/** The origins of an application's redirect URIs, and those it lists besides. */
export function ownOrigins(client: OriginsOf): ReadonlySet<string> {
  let origins = originsByClient.get(client)
  if (!origins) {
    const registered = (client.redirectUris ?? []).filter((uri) => /^https?:/.test(uri)).map((uri) => new URL(uri).origin)
    origins = new Set([...registered, ...(client.additional_origins ?? [])])
    originsByClient.set(client, origins)
  }
  return origins
}
