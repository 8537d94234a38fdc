/** An identity: a login at a provider, through one app, with what the provider told of the person. */
export interface Identity {
  /** The internal id of the App Services app that the login belongs to. */
  readonly app: string
  /** The type of the provider: `local-userpass`, `anon-user`, `custom-token`, `oauth2-google` … */
  readonly provider: string
  /** What the provider knows the person by: unique for a provider of an app. For an e-mail address and a password the address as it was registered. */
  readonly key: string
  /** What is told as the identity's id: the key, but for providers that have none to tell. */
  readonly id: string
  /** Provider metadata. */
  readonly data: Readonly<Record<string, unknown>>
  /** ISO 8601. */
  readonly createdAt: string
  /** Of an API key that is switched off. */
  readonly disabled?: boolean
  /** When somebody last logged in by it, ISO 8601; empty until then. */
  readonly usedAt: string
}

export type IdentityKey = Pick<Identity, 'app' | 'provider' | 'key'>

/** One text for what is unique. */
export const identityKeyOf = ({ app, provider, key }: IdentityKey) => `${app} ${provider} ${key}`
