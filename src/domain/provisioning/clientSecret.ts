import { newSecret } from '#src/base/ids.ts'
import type { Application } from '../applications/application.ts'

export interface SecretRules {
  hashSecret(secret: string): string
  /** Seals the secret of the application `clientId`; answers `before` when that already holds it. */
  sealSecret(secret: string, clientId: string, before?: string): string
}

type KeptSecret = Pick<Application, 'clientSecretHash' | 'clientSecretSealed'>

/** Whether the application proves who it is by a secret that both sides know. */
export const needsSecret = (authMethod: Application['authMethod']) =>
  authMethod === 'basic' || authMethod === 'post' || authMethod === 'clientSecretJwt'

/**
 * The client secret of an application as it is kept, with both fields, and the secret itself where one was made: the given one, otherwise the one that is
 * there and suits the way in which it is proved, otherwise a new one.
 */
export function keptSecretOf(
  { authMethod, clientId }: Pick<Application, 'authMethod' | 'clientId'>,
  before: KeptSecret | undefined,
  { hashSecret, sealSecret }: SecretRules,
  given?: string,
): { readonly kept: KeptSecret; readonly made?: string } {
  if (!needsSecret(authMethod)) return { kept: { clientSecretHash: undefined, clientSecretSealed: undefined } }
  const isSealed = authMethod === 'clientSecretJwt'
  const known = isSealed ? before?.clientSecretSealed : before?.clientSecretHash
  const made = given === undefined && known === undefined ? newSecret() : undefined
  const secret = given ?? made
  const value = secret === undefined ? known : isSealed ? sealSecret(secret, clientId, known) : hashSecret(secret)
  const kept = isSealed
    ? { clientSecretHash: undefined, clientSecretSealed: value }
    : { clientSecretHash: value, clientSecretSealed: undefined }
  return { kept, ...(made !== undefined && { made }) }
}
