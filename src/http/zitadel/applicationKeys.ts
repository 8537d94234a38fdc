/** Keys of applications (`privateKeyJwt`), as both APIs have them. They do not expire: a date is refused, because nothing would heed it. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { Application } from '#src/domain/applications/application.ts'
import { applicationKeyOf } from '#src/domain/applications/applicationKeys.ts'
import { ApplicationKeyNotFound } from '#src/domain/applications/failures.ts'
import type { Caller } from './authenticate.ts'
import { StatusError } from './errors.ts'
import type { ProjectsNeeds } from './projects.ts'
import { actorOf } from './users.ts'

export interface ApplicationKey {
  readonly id: string
  readonly createdAt: Date
}

/** The keys of an application that have an id, oldest first. */
export const keysOf = ({ jwks, createdAt }: Application): readonly ApplicationKey[] =>
  (jwks?.keys ?? []).flatMap((jwk) => {
    const key = applicationKeyOf(jwk)
    return key ? [{ createdAt, ...key }] : []
  })

/** @throws ApplicationKeyNotFound */
export function keyOf(application: Application, keyId: string): ApplicationKey {
  const found = keysOf(application).find(({ id }) => id === keyId)
  if (!found) throw new ApplicationKeyNotFound(keyId)
  return found
}

/** A new key of an application, with the file that ZITADEL's libraries read. @throws StatusError 501, 400 */
export async function addKeyTo({ applications }: ProjectsNeeds, application: Application, expires: object | undefined, caller: Caller) {
  if (expires)
    throw new StatusError('unimplemented', 'expirationDate: keys of applications do not expire here; remove a key that is to work no more')
  if (application.authMethod !== 'privateKeyJwt')
    throw new StatusError('failedPrecondition', 'Chosen Auth Method does not allow keys', { id: 'COMMAND-Dff54' })
  const { keyId, privatePem } = await applications.addKey(application.id, actorOf(caller))
  const { id: appId, clientId } = application
  const file = JSON.stringify({ type: 'application', keyId, key: privatePem, appId, clientId })
  return {
    id: keyId,
    createdAt: keyOf(await applications.get(appId), keyId).createdAt,
    keyDetails: Buffer.from(file) as Uint8Array<ArrayBuffer>,
  }
}

/** The time of a key, where it is told. */
export const keyCreation = ({ createdAt }: ApplicationKey) => timestampFromDate(createdAt)
