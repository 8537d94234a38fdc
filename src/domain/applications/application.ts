/**
 * Applications: the organization, its projects with their roles, the applications (OIDC clients) in them, and the settings that all
 * share. Together they are the *catalogue*: small, read on every request, changed rarely, and therefore cached by its revision.
 *
 * Owns what a client may do and what its tokens say. Does not know the engine that enforces it.
 */
import { DomainError } from '#src/base/errors.ts'
import type { ProtocolChoices } from './protocol.ts'

/** The one organization that owns everything (ZITADEL's resource owner). */
export interface Organization {
  readonly id: string
  readonly name: string
  readonly primaryDomain: string
  /** 256 random bits, base64url: what makes pairwise subjects of user ids. It never changes, or applications would not know their users again. */
  readonly pairwiseSalt: string
  /** On pages and in mail: an address, or a `data:` address of an image. */
  readonly logoUri?: string
  /** `#rrggbb`, on pages and in mail. */
  readonly accentColor?: string
}

/** Text for people: one for everybody, or one a language (BCP 47). */
export type Label = string | Readonly<Record<string, string>>

/** A field that the registration page has beside the usual ones. What is typed becomes metadata. */
export interface RegistrationField {
  /** Of the metadata. */
  readonly key: string
  readonly label: Label
  /** What the whole value must match, in RE2's syntax. */
  readonly pattern?: string
  readonly required: boolean
}

/** What people may change of their own profile. An e-mail address and a phone number are proved before they count, whoever they are of. */
export type ProfileField =
  | 'displayName'
  | 'givenName'
  | 'familyName'
  | 'nickName'
  | 'gender'
  | 'locale'
  | 'picture'
  | 'address'
  | 'email'
  | 'phone'

export interface Settings {
  /** Whether people make accounts themselves. */
  readonly registration: 'open' | 'closed'
  readonly registrationFields: readonly RegistrationField[]
  readonly dynamicClientRegistration: 'open' | 'token' | 'closed'
  readonly accessTokenTtlSeconds: number
  readonly idTokenTtlSeconds: number
  readonly refreshTokenTtlSeconds: number
  readonly sessionTtlSeconds: number
  /** Keys of metadata that people may change of themselves; `*` stands for anything. */
  readonly selfManagedMetadata: false | readonly string[]
  /** Fields of the profile that people may change of themselves; `true` stands for all. */
  readonly selfManagedProfile: boolean | readonly ProfileField[]
  /** How long somebody who deletes their account may think better of it. */
  readonly accountDeletionGraceSeconds: number
}

export const defaultSettings: Settings = {
  registration: 'closed',
  registrationFields: [],
  dynamicClientRegistration: 'closed',
  accessTokenTtlSeconds: 12 * 3600,
  idTokenTtlSeconds: 12 * 3600,
  refreshTokenTtlSeconds: 30 * 86_400,
  sessionTtlSeconds: 24 * 3600,
  selfManagedMetadata: false,
  selfManagedProfile: true,
  accountDeletionGraceSeconds: 30 * 86_400,
}

export interface Role {
  readonly key: string
  readonly displayName?: string
  readonly group?: string
  /** The configuration file that made it. */
  readonly provisionedBy?: string
}

export interface Project {
  readonly id: string
  readonly name: string
  readonly roles: readonly Role[]
  /** Put the roles into userinfo and tokens without being asked by a scope. */
  readonly projectRoleAssertion: boolean
  /** Switched off, with all of its applications; on when it is left out. */
  readonly active?: false
  /** The configuration file that made it. */
  readonly provisionedBy?: string
  readonly createdAt: Date
  readonly changedAt: Date
}

/** Whether the applications of a project work, as far as they are active themselves. */
export const isActive = ({ active }: Project) => active ?? true

/** The project of the applications that registered themselves (RFC 7591). It is the same everywhere, so that whoever needs it first makes no second. */
export const registeredProjectId = 'registered'

/** Whether an application registered itself, or was put beside those that did: a stranger, to the operator's applications and to each other. */
export const isRegistered = ({ projectId }: Pick<Application, 'projectId'>) => projectId === registeredProjectId

type ApplicationType = 'web' | 'userAgent' | 'native' | 'api'
type AuthMethod = 'basic' | 'post' | 'none' | 'clientSecretJwt' | 'privateKeyJwt' | 'tlsClientAuth' | 'selfSignedTlsClientAuth'
export type GrantType = 'authorizationCode' | 'refreshToken' | 'deviceCode' | 'clientCredentials' | 'implicit' | 'tokenExchange'
type ResponseType = 'code' | 'id_token' | 'id_token token' | 'code id_token' | 'code token' | 'code id_token token'
export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA' | 'PS256'

/** One OIDC client. Field names are those of the configuration file (contracts/operating.md, section 3). */
export interface Application extends ProtocolChoices {
  readonly id: string
  readonly projectId: string
  readonly name: string
  readonly clientId: string
  readonly type: ApplicationType
  readonly authMethod: AuthMethod
  /** SHA-256 of the client secret, base64url. */
  readonly clientSecretHash?: string
  /** The client secret itself, sealed: `clientSecretJwt` is a MAC, which a hash cannot prove. */
  readonly clientSecretSealed?: string
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly grantTypes: readonly GrantType[]
  readonly responseTypes: readonly ResponseType[]
  /** `bearer` tokens are opaque. */
  readonly accessTokenType: 'bearer' | 'jwt'
  /** "User Info inside ID Token". */
  readonly idTokenUserinfoAssertion: boolean
  readonly accessTokenRoleAssertion: boolean
  readonly idTokenRoleAssertion: boolean
  readonly requirePkce: boolean
  readonly idTokenSignedResponseAlg: SigningAlgorithm
  /** Made by the operator's own team: no consent page. */
  readonly firstParty: boolean
  /** `client` narrows `aud` to the application's own client id. */
  readonly audience: 'project' | 'client'
  readonly clockSkewSeconds: number
  readonly additionalOrigins: readonly string[]
  readonly backChannelLogoutUri?: string
  readonly logoUri?: string
  readonly policyUri?: string
  readonly tosUri?: string
  /** Public keys to prove who it is and to encrypt for it, or where to fetch them. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] }
  readonly jwksUri?: string
  /** The addresses by which an API is asked for (RFC 8707). */
  readonly resourceIndicators?: readonly string[]
  /** Which metadata a proxy is told of the user, by key (`/forward-auth`). */
  readonly forwardAuth?: { readonly metadata: readonly string[] }
  /** A sign-in page of its own (ZITADEL's login version 2), at `{baseUri}/login`. */
  /** Addresses to come back to may be http on any host: while it is being developed. */
  readonly devMode?: boolean
  readonly loginVersion?: { readonly baseUri?: string }
  readonly active: boolean
  /** The configuration file that made it. */
  readonly provisionedBy?: string
  readonly createdAt: Date
  readonly changedAt: Date
}

/** Somebody else changed projects, applications or settings since a change to them was made out. */
export class CatalogueMoved extends DomainError {
  readonly code = 'catalogue.moved'
  constructor() {
    super('projects or applications were changed by somebody else at the same moment; nothing was written, try again')
  }
}

export class ClientIdTaken extends DomainError {
  readonly code = 'application.client_id_taken'
  constructor(clientId: string, options?: ErrorOptions) {
    super(`the client id ${JSON.stringify(clientId)} is already taken`, options)
  }
}
