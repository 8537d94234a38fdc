/** A user's metadata by the second API (contracts/zitadel.md, section 4). */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { isSelfManaged } from '#src/domain/metadata/selfManaged.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { refusalOf } from '../access.ts'
import type { Caller } from '../authenticate.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { metadataBodyBytes, refused } from '../metadata.ts'
import { paginationOf } from '../pagination.ts'
import { actorOf, assertChangeable, textMethodOf } from '../users.ts'
import { UserService } from './service.ts'

export function metadataHandlers(needs: HandlerNeeds) {
  const { metadata, catalogue } = needs
  const { method } = UserService

  /** Whoever does not manage users is here for themselves: they may change what the settings leave to them. */
  async function assertMayChangeKeys(caller: Caller, userId: string, keys: readonly string[]): Promise<void> {
    if (caller.may('user.write')) return assertChangeable(needs, caller, userId)
    const { selfManagedMetadata } = (await catalogue.root()).settings
    if (keys.length === 0 ? !selfManagedMetadata : !keys.every((key) => isSelfManaged(key, selfManagedMetadata))) throw refusalOf(caller)
  }

  return [
    handlerOf(
      method.setUserMetadata,
      async ({ userId, metadata: values }, caller) => {
        const keys = values.map(({ key }) => key)
        await assertMayChangeKeys(caller, userId, keys)
        const { at } = await refused('notFound', metadata.set(userId as UserId, values, actorOf(caller)))
        return { setDate: timestampFromDate(at) }
      },
      { bodyLimitBytes: metadataBodyBytes },
    ),

    handlerOf(method.listUserMetadata, async ({ userId, pagination, filters }) => {
      const page = paginationOf(pagination)
      const keys = filters.flatMap(({ filter }) =>
        filter.case === 'keyFilter' ? [{ key: filter.value.key, method: textMethodOf(filter.value.method) }] : [],
      )
      const { entries, total } = await metadata.search(userId as UserId, keys, page)
      return {
        pagination: { totalResult: BigInt(total), appliedLimit: BigInt(page.limit) },
        metadata: entries.map(({ key, value, createdAt, changedAt }) => ({
          creationDate: timestampFromDate(createdAt),
          changeDate: timestampFromDate(changedAt),
          key,
          value: value as Uint8Array<ArrayBuffer>,
        })),
      }
    }),

    handlerOf(method.deleteUserMetadata, async ({ userId, keys }, caller) => {
      await assertMayChangeKeys(caller, userId, keys)
      const { at } = await refused('notFound', metadata.remove(userId as UserId, keys, actorOf(caller)))
      return { deletionDate: timestampFromDate(at) }
    }),
  ]
}
