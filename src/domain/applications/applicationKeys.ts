/** Keys of applications that were made here: members of their `jwks`. Others, which an operator has put there, have an id only if they have a `kid`. */
import { isObjectId } from '#src/base/ids.ts'

type Jwk = Readonly<Record<string, unknown>>

/** A key pair: its public half for the store, its private half as PEM. */
export interface NewApplicationKey {
  readonly publicJwk: Jwk
  readonly privatePem: string
}

/** A key as it is told, by its `kid`; when it was made stands in the ids that are made here. */
export function applicationKeyOf({ kid }: Jwk): { readonly id: string; readonly createdAt?: Date } | undefined {
  if (typeof kid !== 'string') return undefined
  return isObjectId(kid) ? { id: kid, createdAt: new Date(Number.parseInt(kid.slice(0, 8), 16) * 1000) } : { id: kid }
}
