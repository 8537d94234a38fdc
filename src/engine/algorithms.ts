import type { Configuration } from 'oidc-provider'

/** What Dossier signs with. */
export const signing = ['RS256', 'ES256', 'EdDSA', 'PS256'] as const
const keyEncryption = ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const
const contentEncryption = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'] as const

/** The algorithms of JOSE that are offered: none that is weak, none that only one side knows how to check. */
export const enabledJWA = {
  idTokenSigningAlgValues: [...signing],
  userinfoSigningAlgValues: [...signing],
  introspectionSigningAlgValues: [...signing],
  authorizationSigningAlgValues: [...signing],
  requestObjectSigningAlgValues: [...signing],
  clientAuthSigningAlgValues: [...signing, 'HS256'],
  dPoPSigningAlgValues: [...signing],
  idTokenEncryptionAlgValues: [...keyEncryption],
  userinfoEncryptionAlgValues: [...keyEncryption],
  introspectionEncryptionAlgValues: [...keyEncryption],
  authorizationEncryptionAlgValues: [...keyEncryption],
  // Dossier has signing keys only, so nobody can encrypt a request for it.
  requestObjectEncryptionAlgValues: [],
  idTokenEncryptionEncValues: [...contentEncryption],
  userinfoEncryptionEncValues: [...contentEncryption],
  introspectionEncryptionEncValues: [...contentEncryption],
  authorizationEncryptionEncValues: [...contentEncryption],
  requestObjectEncryptionEncValues: [],
} satisfies Configuration['enabledJWA']
