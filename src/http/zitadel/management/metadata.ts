/** A user's metadata, for managers (contracts/zitadel.md, section 2). */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { MetadataNotFound } from '#src/domain/metadata/metadata.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { filtersOf, listDetailsOf, metadataBodyBytes, metadataOf, pageOf, refused } from '../metadata.ts'
import { actorOf, assertChangeable } from '../users.ts'

export function metadataHandlers(needs: HandlerNeeds) {
  const { metadata, organizationId } = needs
  const { method } = ManagementService
  const large = { bodyLimitBytes: metadataBodyBytes }

  /** Where the user stands after a change. */
  async function changed(write: Promise<{ sequence: number; at: Date }>) {
    const { sequence, at } = await refused('failedPrecondition', write)
    return { details: { sequence: BigInt(sequence), changeDate: timestampFromDate(at), resourceOwner: organizationId() } }
  }

  return [
    handlerOf(method.listUserMetadata, async ({ id, query, queries }) => {
      const found = await metadata.search(id as UserId, filtersOf(queries), pageOf(query))
      return { details: listDetailsOf(found), result: found.entries.map((entry) => metadataOf(entry, organizationId())) }
    }),

    handlerOf(method.getUserMetadata, async ({ id, key }) => ({
      metadata: metadataOf(await metadata.get(id as UserId, key), organizationId()),
    })),

    // ZITADEL tells the time of the change as that of the creation here.
    handlerOf(
      method.setUserMetadata,
      async ({ id, key, value }, caller) => {
        await assertChangeable(needs, caller, id)
        const { sequence, at } = await refused('failedPrecondition', metadata.set(id as UserId, [{ key, value }], actorOf(caller)))
        return { details: { sequence: BigInt(sequence), creationDate: timestampFromDate(at), resourceOwner: organizationId() } }
      },
      large,
    ),

    handlerOf(
      method.bulkSetUserMetadata,
      async ({ id, metadata: values }, caller) => {
        await assertChangeable(needs, caller, id)
        return changed(metadata.set(id as UserId, values, actorOf(caller)))
      },
      large,
    ),

    handlerOf(method.removeUserMetadata, async ({ id, key }, caller) => {
      await assertChangeable(needs, caller, id)
      return changed(
        metadata.remove(id as UserId, [key], actorOf(caller)).catch((error: unknown) => {
          throw error instanceof MetadataNotFound ? new StatusError('notFound', 'Metadata not found', { id: 'META-ncnw3' }) : error
        }),
      )
    }),

    handlerOf(
      method.bulkRemoveUserMetadata,
      async ({ id, keys }, caller) => {
        await assertChangeable(needs, caller, id)
        return changed(metadata.remove(id as UserId, keys, actorOf(caller)))
      },
      large,
    ),
  ]
}
