/** Identity providers as everybody else knows them: somewhere people log in, and what it tells of them. The protocols are the connectors'. */
import { DomainError } from '#src/base/errors.ts'

export interface ProviderSettings {
  /** Where the provider is; for Google, Facebook and Apple their own address when left out. */
  readonly issuer?: string
  readonly clientId: string
  readonly clientSecret?: string
}

/** A login that was begun and that only its own answer may end. */
export interface BegunLogin {
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** What a provider tells of a person; `sub` is what it knows them by. */
export type Told = Readonly<Record<string, unknown>> & { readonly sub: string }

/** Each throws `ProviderRefused` for what the provider does not vouch for. */
export interface IdentityProvider {
  /** Where a person goes to log in. */
  addressOf(settings: ProviderSettings, begun: BegunLogin): Promise<string>
  /** Whom the answer is about that the person came back with: parameters of its query or form. */
  answered(settings: ProviderSettings, begun: BegunLogin, parameters: URLSearchParams): Promise<Told>
  /** Whom a code is about that the provider gave to an application on the person's device. */
  byCode?(settings: ProviderSettings, code: string): Promise<Told>
  /** Whom an ID token is about that was made for this client. */
  byIdToken?(settings: ProviderSettings, token: string): Promise<Told>
  /** Whom an access token is about that was made for this client. */
  byAccessToken?(settings: ProviderSettings, token: string): Promise<Told>
}

export class ProviderRefused extends DomainError {
  readonly code = 'federation.refused'
}
