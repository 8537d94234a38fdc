/** Who manages what, as ZITADEL tells it: roles of Dossier's own project are memberships of the instance (`IAM_…`) or of the organization (the others). */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ListQuery } from '@zitadel/proto/zitadel/object_pb.js'
import type { MembershipQuery, MembershipSchema } from '@zitadel/proto/zitadel/user_pb.js'
import { heldBy } from '#src/domain/applications/managing.ts'
import type { User } from '#src/domain/users/user.ts'
import { detailsOf, listDetails } from './details.ts'
import { cut, listQueryOf } from './pagination.ts'
import type { UsersNeeds } from './users.ts'

type Needs = Pick<UsersNeeds, 'catalogue' | 'now' | 'ownProjectId' | 'organizationId'>
type Membership = MessageInitShape<typeof MembershipSchema>

/** The memberships of a user that pass every query. @throws StatusError */
export async function membershipsOf(needs: Needs, user: User, query: ListQuery | undefined, queries: readonly MembershipQuery[]) {
  const part = listQueryOf(query)
  const all = await allOf(needs, user)
  const found = all.filter((membership) => queries.every((each) => passes(membership, each)))
  return { details: listDetails(found.length, needs.now()), result: [...cut(found, part)] }
}

async function allOf({ catalogue, ownProjectId, organizationId }: Needs, user: User): Promise<readonly Membership[]> {
  const { organization } = await catalogue.root()
  const held = [...new Set(heldBy(user, ownProjectId()))]
  const [instance, ours] = [held.filter((role) => role.startsWith('IAM_')), held.filter((role) => !role.startsWith('IAM_'))]
  const shared = { userId: user.id, details: detailsOf(user, organizationId()) }
  return [
    ...(instance.length > 0 ? [{ ...shared, roles: instance, displayName: 'Dossier', type: { case: 'iam', value: true } } as const] : []),
    ...(ours.length > 0
      ? [{ ...shared, roles: ours, displayName: organization.name, type: { case: 'orgId', value: organization.id } } as const]
      : []),
  ]
}

function passes({ type }: Membership, { query }: MembershipQuery): boolean {
  if (query.case === 'iamQuery') return (type?.case === 'iam') === query.value.iam
  if (query.case === 'orgQuery') return type?.case === 'orgId' && type.value === query.value.orgId
  // There are no memberships of single projects.
  return query.case === undefined
}
