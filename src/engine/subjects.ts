import { createHmac } from 'node:crypto'
import type { Application, Organization } from '#src/domain/applications/application.ts'

/**
 * What an application knows a user by (OpenID Connect Core, section 8): the user's id, or for a pairwise client something that applications of
 * other sectors cannot compare.
 */
export function subjectOf(userId: string, application: Application | undefined, organization: Organization): string {
  if (application?.subjectType !== 'pairwise') return userId
  return pairwiseSubject(userId, sectorOf(application), organization)
}

export const pairwiseSubject = (userId: string, sector: string, { pairwiseSalt }: Organization) =>
  createHmac('sha256', pairwiseSalt).update(`${sector}\0${userId}`).digest('base64url')

/** The host that names the sector. */
const sectorOf = ({ sectorIdentifierUri, redirectUris }: Application) => new URL(sectorIdentifierUri ?? (redirectUris[0] as string)).host
