import type { SigningAlgorithm } from './application.ts'

/** Key management and content encryption of a JWE (RFC 7518). */
type KeyEncryption = 'RSA-OAEP' | 'RSA-OAEP-256' | 'ECDH-ES' | 'ECDH-ES+A128KW' | 'ECDH-ES+A256KW'
type ContentEncryption = 'A128CBC-HS256' | 'A256CBC-HS512' | 'A128GCM' | 'A256GCM'
type ResponseMode = 'query' | 'fragment' | 'form_post' | 'jwt' | 'query.jwt' | 'fragment.jwt' | 'form_post.jwt'

/** What OAuth and OpenID Connect let a client choose beyond the usual. Names are those of the client metadata (RFC 7591) in camel case. */
export interface ProtocolChoices {
  /** The FAPI 2.0 security profile, with everything that it demands. */
  readonly profile?: 'fapi2'
  /** RFC 9126. */
  readonly requirePushedAuthorizationRequests?: boolean
  /** RFC 9449. */
  readonly dpopBoundAccessTokens?: boolean
  /** RFC 8705, section 3. */
  readonly tlsClientCertificateBoundAccessTokens?: boolean
  /** RFC 9101. */
  readonly requireSignedRequestObject?: boolean
  readonly requestObjectSigningAlg?: SigningAlgorithm
  /** Where request objects may be fetched from. */
  readonly requestUris?: readonly string[]
  readonly responseModes?: readonly ResponseMode[]
  /** Seconds since the last sign-in. */
  readonly defaultMaxAge?: number
  readonly requireAuthTime?: boolean
  readonly defaultAcrValues?: readonly string[]
  /** `pairwise`: the user has another `sub` in each sector. */
  readonly subjectType?: 'public' | 'pairwise'
  readonly sectorIdentifierUri?: string
  readonly idTokenEncryptedResponseAlg?: KeyEncryption
  readonly idTokenEncryptedResponseEnc?: ContentEncryption
  readonly userinfoSignedResponseAlg?: SigningAlgorithm
  readonly userinfoEncryptedResponseAlg?: KeyEncryption
  readonly userinfoEncryptedResponseEnc?: ContentEncryption
  readonly introspectionSignedResponseAlg?: SigningAlgorithm
  readonly authorizationSignedResponseAlg?: SigningAlgorithm
  readonly authorizationEncryptedResponseAlg?: KeyEncryption
  readonly authorizationEncryptedResponseEnc?: ContentEncryption
  readonly tokenEndpointAuthSigningAlg?: SigningAlgorithm | 'HS256'
  /** RFC 8705, section 2.1.2: exactly one of these names the certificate of `tlsClientAuth`. */
  readonly tlsClientAuthSubjectDn?: string
  readonly tlsClientAuthSanDns?: string
  readonly tlsClientAuthSanUri?: string
  readonly tlsClientAuthSanIp?: string
  readonly tlsClientAuthSanEmail?: string
  /** Third-party initiated login. */
  readonly initiateLoginUri?: string
  readonly backChannelLogoutSessionRequired?: boolean
  readonly clientUri?: string
  readonly contacts?: readonly string[]
}

/** The choices that change what a request or a token must be like. */
const decisive = [
  'profile',
  'requirePushedAuthorizationRequests',
  'dpopBoundAccessTokens',
  'tlsClientCertificateBoundAccessTokens',
  'requireSignedRequestObject',
  'responseModes',
  'defaultMaxAge',
  'requireAuthTime',
  'defaultAcrValues',
  'subjectType',
  'idTokenEncryptedResponseAlg',
  'userinfoSignedResponseAlg',
  'userinfoEncryptedResponseAlg',
] as const satisfies readonly (keyof ProtocolChoices)[]

/** Whether a client chose nothing that makes its requests or its tokens special. */
export function isUsualClient(choices: ProtocolChoices): boolean {
  for (const field of decisive) {
    const choice = choices[field]
    if (choice !== undefined && choice !== false && choice !== 'public') return false
  }
  return true
}
