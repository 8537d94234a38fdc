import { z } from 'zod'
import type { Application } from '../applications/application.ts'
import type { ProtocolChoices } from '../applications/protocol.ts'
import { type Fields, flag, httpsAddress, parsed, text, versionedAddress, webAddress } from './fields.ts'

const signing = z.enum(['RS256', 'ES256', 'EdDSA', 'PS256'])
const keyEncryption = z.enum(['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'])
const contentEncryption = z.enum(['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'])

/** The fields of an application that are choices of the protocol; each may be left out. */
export const protocolShape = {
  profile: z.enum(['fapi2']),
  requirePushedAuthorizationRequests: flag,
  dpopBoundAccessTokens: flag,
  tlsClientCertificateBoundAccessTokens: flag,
  requireSignedRequestObject: flag,
  requestObjectSigningAlg: signing,
  requestUris: z.array(versionedAddress),
  responseModes: z.array(z.enum(['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'])).min(1),
  defaultMaxAge: z.number().int().min(0),
  requireAuthTime: flag,
  defaultAcrValues: z.array(text),
  subjectType: z.enum(['public', 'pairwise']),
  sectorIdentifierUri: httpsAddress,
  idTokenEncryptedResponseAlg: keyEncryption,
  idTokenEncryptedResponseEnc: contentEncryption,
  userinfoSignedResponseAlg: signing,
  userinfoEncryptedResponseAlg: keyEncryption,
  userinfoEncryptedResponseEnc: contentEncryption,
  introspectionSignedResponseAlg: signing,
  authorizationSignedResponseAlg: signing,
  authorizationEncryptedResponseAlg: keyEncryption,
  authorizationEncryptedResponseEnc: contentEncryption,
  tokenEndpointAuthSigningAlg: z.enum(['RS256', 'ES256', 'EdDSA', 'PS256', 'HS256']),
  tlsClientAuthSubjectDn: text,
  tlsClientAuthSanDns: text,
  tlsClientAuthSanUri: text,
  tlsClientAuthSanIp: text,
  tlsClientAuthSanEmail: text,
  initiateLoginUri: httpsAddress,
  backChannelLogoutSessionRequired: flag,
  clientUri: webAddress,
  contacts: z.array(text),
} as const satisfies Record<keyof ProtocolChoices, z.ZodType>

const names = Object.keys(protocolShape) as (keyof ProtocolChoices)[]

/** The choices among `values`; what is left out is there as `undefined`, so that an apply takes it away. */
export const protocolChoicesOf = (values: Fields<typeof protocolShape>): ProtocolChoices =>
  Object.fromEntries(names.map((name) => [name, values[name]]))

type Asked = Pick<Application, 'authMethod' | 'grantTypes' | 'redirectUris' | 'responseTypes' | 'idTokenSignedResponseAlg'> &
  ProtocolChoices & { readonly hasKeys: boolean }

/** Says which choices contradict each other, or the rest of the application. */
export function assertCoherentChoices(asked: Asked, add: (field: string, reason: string) => void): void {
  const { authMethod, hasKeys } = asked
  for (const [field, given] of certificateNames(asked)) {
    if (authMethod !== 'tlsClientAuth' && given) add(field, `has no use with authMethod ${authMethod}`)
  }
  if (authMethod === 'tlsClientAuth' && certificateNames(asked).filter(([, given]) => given).length !== 1) {
    add('authMethod', 'tlsClientAuth needs exactly one of tlsClientAuthSubjectDn, -SanDns, -SanUri, -SanIp and -SanEmail')
  }
  if (asked.dpopBoundAccessTokens && asked.tlsClientCertificateBoundAccessTokens) {
    add('dpopBoundAccessTokens', 'must not be beside tlsClientCertificateBoundAccessTokens: a token is bound one way')
  }
  for (const what of ['idToken', 'userinfo', 'authorization'] as const) {
    const alg = asked[`${what}EncryptedResponseAlg`]
    if (alg && !hasKeys) add(`${what}EncryptedResponseAlg`, 'needs jwks or jwksUri: it is encrypted for a key of the application')
    if (alg && what === 'userinfo' && !asked.userinfoSignedResponseAlg)
      add(`${what}EncryptedResponseAlg`, 'needs userinfoSignedResponseAlg')
    if (!alg && asked[`${what}EncryptedResponseEnc`]) add(`${what}EncryptedResponseEnc`, `needs ${what}EncryptedResponseAlg`)
  }
  if ((asked.requireSignedRequestObject || asked.requestObjectSigningAlg) && !hasKeys) {
    add(
      asked.requireSignedRequestObject ? 'requireSignedRequestObject' : 'requestObjectSigningAlg',
      'needs jwks or jwksUri to check signatures',
    )
  }
  const isMac = asked.tokenEndpointAuthSigningAlg === 'HS256'
  if (asked.tokenEndpointAuthSigningAlg && isMac !== (authMethod === 'clientSecretJwt')) {
    add('tokenEndpointAuthSigningAlg', `${asked.tokenEndpointAuthSigningAlg} has no use with authMethod ${authMethod}`)
  }
  const hosts = new Set(asked.redirectUris.map((uri) => parsed(uri)?.host))
  if (asked.subjectType === 'pairwise' && !asked.sectorIdentifierUri && hosts.size !== 1) {
    add('subjectType', 'pairwise needs a sectorIdentifierUri unless all redirectUris have one host')
  }
  if (asked.subjectType === 'pairwise' && asked.grantTypes.includes('deviceCode'))
    add('subjectType', 'pairwise cannot be had with deviceCode')
  if (asked.profile === 'fapi2') assertFapi2(asked, add)
}

const certificateNames = (asked: ProtocolChoices) =>
  (['SubjectDn', 'SanDns', 'SanUri', 'SanIp', 'SanEmail'] as const).map(
    (name) => [`tlsClientAuth${name}`, asked[`tlsClientAuth${name}`] !== undefined] as const,
  )

/** FAPI 2.0 Security Profile, section 5.3.2: what an authorization server must demand of such a client. */
function assertFapi2(asked: Asked, add: (field: string, reason: string) => void): void {
  const { authMethod, dpopBoundAccessTokens, tlsClientCertificateBoundAccessTokens, responseTypes, idTokenSignedResponseAlg } = asked
  const isBound = dpopBoundAccessTokens || tlsClientCertificateBoundAccessTokens
  if (!['privateKeyJwt', 'tlsClientAuth', 'selfSignedTlsClientAuth'].includes(authMethod)) {
    add('authMethod', 'must be privateKeyJwt, tlsClientAuth or selfSignedTlsClientAuth with profile fapi2')
  }
  if (!isBound) add('profile', 'fapi2 needs dpopBoundAccessTokens or tlsClientCertificateBoundAccessTokens')
  if (responseTypes.some((each) => each !== 'code')) add('responseTypes', 'must be code with profile fapi2')
  if (idTokenSignedResponseAlg === 'RS256') add('idTokenSignedResponseAlg', 'must be PS256, ES256 or EdDSA with profile fapi2')
  if (asked.requirePushedAuthorizationRequests === false) add('requirePushedAuthorizationRequests', 'must be true with profile fapi2')
}
