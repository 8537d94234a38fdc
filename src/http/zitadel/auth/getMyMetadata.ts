import { AuthService } from '@zitadel/proto/zitadel/auth_pb.js'
import { handlerOf } from '../handler.ts'
import { type MetadataNeeds, metadataOf } from '../metadata.ts'

/** One metadata entry of the caller, by its key. */
export const getMyMetadata = ({ metadata, organizationId }: MetadataNeeds) =>
  handlerOf(AuthService.method.getMyMetadata, async ({ key }, { user }) => ({
    metadata: metadataOf(await metadata.get(user.id, key), organizationId()),
  }))
