/** The organization by the second API: `zitadel.org.v2.OrganizationService`. There is one. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { OrganizationState } from '@zitadel/proto/zitadel/org/v2/org_pb.js'
import { OrganizationService } from '@zitadel/proto/zitadel/org/v2/org_service_pb.js'
import type { SearchQuery } from '@zitadel/proto/zitadel/org/v2/query_pb.js'
import type { Organization } from '#src/domain/applications/application.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { paginationOf } from '../pagination.ts'
import { few, organizationDetails, passes } from '../projects.ts'

export function organizationHandlers({ catalogue, now }: HandlerNeeds) {
  const { method } = OrganizationService

  return [
    handlerOf(method.listOrganizations, async ({ query, queries, sortingColumn }) => {
      const { offset, limit } = paginationOf(query)
      const root = await catalogue.root()
      const { id, name, primaryDomain } = root.organization
      const organization = { id, details: organizationDetails(root), state: OrganizationState.ACTIVE, name, primaryDomain }
      const found = few(queries).every((each) => matches(each, root.organization)) ? [organization] : []
      const details = { totalResult: BigInt(found.length), timestamp: timestampFromDate(now()) }
      return { details, sortingColumn, result: found.slice(offset, offset + limit) }
    }),

    handlerOf(method.addOrganization, async () => {
      throw new StatusError('unimplemented', 'Dossier has one organization, to which everything belongs: there cannot be another')
    }),
  ]
}

function matches({ query }: SearchQuery, { id, name, primaryDomain }: Organization): boolean {
  switch (query.case) {
    case 'nameQuery':
      return passes(name, query.value.name, query.value.method)
    case 'domainQuery':
      return passes(primaryDomain, query.value.domain, query.value.method)
    case 'stateQuery':
      return query.value.state === OrganizationState.ACTIVE
    case 'idQuery':
      return query.value.id === id
    default:
      return true
  }
}
