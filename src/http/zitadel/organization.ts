import type { Call } from './call.ts'
import { StatusError } from './errors.ts'

/** The header in which a call names the organization that it is about; there is one. @throws StatusError */
export function assertOrganization({ headers }: Call, organizationId: string): void {
  const named = headers['x-zitadel-orgid']
  if (named === undefined || named === '') return
  assertOurs(named as string, organizationId)
}

/** Refuses to do something in an organization that is not there. `ours` is the one that is, by the id or the domain that `named` is. @throws StatusError */
export function assertOurs(named: string, ours: string): void {
  if (named !== ours) throw new StatusError('permissionDenied', "Organisation doesn't exist", { id: 'AUTH-Bs7Ds' })
}
