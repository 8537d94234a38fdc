import { AuthService } from '@zitadel/proto/zitadel/auth_pb.js'
import { handlerOf } from '../handler.ts'
import { filtersOf, listDetailsOf, type MetadataNeeds, metadataOf, pageOf } from '../metadata.ts'

/** The metadata of the caller whose keys pass every query: all of it without one. */
export const listMyMetadata = ({ metadata, organizationId }: MetadataNeeds) =>
  handlerOf(AuthService.method.listMyMetadata, async ({ query, queries }, { user }) => {
    const found = await metadata.search(user.id, filtersOf(queries), pageOf(query))
    return { details: listDetailsOf(found), result: found.entries.map((entry) => metadataOf(entry, organizationId())) }
  })
