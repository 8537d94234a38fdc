/** What machine users prove with who they are, by the second API. */
import { type Timestamp, timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { TimestampFilterMethod } from '@zitadel/proto/zitadel/filter/v2/filter_pb.js'
import type { KeysSearchFilter } from '@zitadel/proto/zitadel/user/v2/key_pb.js'
import type { PersonalAccessTokensSearchFilter } from '@zitadel/proto/zitadel/user/v2/pat_pb.js'
import type { User } from '#src/domain/users/user.ts'
import { refusalOf } from '../access.ts'
import { addKey, addToken, type Credential, expirationOf, keysOf, tokensOf } from '../credentials.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { cut, paginationOf } from '../pagination.ts'
import { actorOf, changeable, existing } from '../users.ts'
import { UserService } from './service.ts'

type Filter = KeysSearchFilter | PersonalAccessTokensSearchFilter
interface ListRequest {
  readonly pagination?: Parameters<typeof paginationOf>[0]
  readonly sortingColumn?: number
  readonly filters: readonly Filter[]
}

export function credentialHandlers(needs: HandlerNeeds) {
  const { method } = UserService
  const { users, now, organizationId } = needs

  /** The part of a user's keys or tokens that is asked for. */
  async function list(
    { pagination, sortingColumn, filters }: ListRequest,
    read: (user: User) => readonly Credential[] | Promise<readonly Credential[]>,
  ) {
    const part = paginationOf(pagination)
    const owner = filters.map(({ filter }) => filter).find((filter) => filter.case === 'userIdFilter')
    // They are kept with their owners.
    if (!owner) throw new StatusError('invalidArgument', 'filters: a userIdFilter is needed')
    const found = (await read(await existing(needs, owner.value.id)))
      .filter((credential) => filters.every((filter) => passes(credential, filter, organizationId())))
      .toSorted(orderOf(sortingColumn))
    return {
      pagination: { totalResult: BigInt(found.length), appliedLimit: BigInt(part.limit) },
      result: cut(found, part).map((credential) => ({
        id: credential.id,
        userId: credential.userId,
        organizationId: organizationId(),
        creationDate: timestampFromDate(credential.createdAt),
        changeDate: timestampFromDate(credential.createdAt),
        expirationDate: expirationOf(credential),
      })),
    }
  }

  const removed = (was: boolean) => (was ? { deletionDate: timestampFromDate(now()) } : {})

  return [
    handlerOf(method.addSecret, async ({ userId }, caller) => {
      const { id } = await changeable(needs, caller, userId, 'machine')
      const { secret, user } = await users.createSecret(id, actorOf(caller))
      return { clientSecret: secret, creationDate: timestampFromDate(user.changedAt) }
    }),

    handlerOf(method.removeSecret, async ({ userId }, caller) => {
      const { id, secretHash } = await changeable(needs, caller, userId, 'machine')
      if (secretHash !== undefined) await users.removeSecret(id, actorOf(caller))
      return removed(secretHash !== undefined)
    }),

    handlerOf(method.addKey, async ({ userId, ...wanted }, caller) => {
      const { id, file, createdAt } = await addKey(needs, caller, await changeable(needs, caller, userId, 'machine'), wanted)
      return { keyId: id, keyContent: file, creationDate: timestampFromDate(createdAt) }
    }),

    handlerOf(method.removeKey, async ({ userId, keyId }, caller) => {
      const { id } = await changeable(needs, caller, userId, 'machine')
      return removed(await users.removeKey(id, keyId, actorOf(caller)))
    }),

    handlerOf(method.listKeys, (request) => list(request, keysOf)),

    handlerOf(method.addPersonalAccessToken, async ({ userId, expirationDate }, caller) => {
      const user = await changeable(needs, caller, userId, 'machine')
      const { id, token, createdAt } = await addToken(needs, caller, user, expirationDate)
      return { tokenId: id, token, creationDate: timestampFromDate(createdAt) }
    }),

    handlerOf(method.removePersonalAccessToken, async ({ userId, tokenId }, caller) => {
      const { id } = await changeable(needs, caller, userId)
      return removed(await users.revokeToken(id, tokenId, actorOf(caller)))
    }),

    handlerOf(method.listPersonalAccessTokens, async (request, caller) => {
      const isOwn = request.filters.some(({ filter }) => filter.case === 'userIdFilter' && filter.value.id === caller.user.id)
      if (!caller.may('user.read') && !isOwn) throw refusalOf(caller)
      return list(request, (user) => {
        // Of several such filters the first says whose they are.
        if (user.id !== caller.user.id && !caller.may('user.read')) throw refusalOf(caller)
        return tokensOf(needs, user)
      })
    }),
  ]
}

const byTime = (a: Credential, b: Credential) => a.createdAt.getTime() - b.createdAt.getTime()
const byId = (a: Credential, b: Credential) => (a.id < b.id ? -1 : Number(a.id > b.id))
const endOf = ({ expiresAt }: Credential) => expiresAt?.getTime() ?? Number.MAX_SAFE_INTEGER

/** By the number of a field, which is the same for keys and tokens. Those of one user are alike in the rest. */
function orderOf(column = 0): (a: Credential, b: Credential) => number {
  if (column === 2) return byId
  return column === 5 ? (a, b) => endOf(a) - endOf(b) || byTime(a, b) : (a, b) => byTime(a, b) || byId(a, b)
}

function passes(credential: Credential, { filter }: Filter, organizationId: string): boolean {
  switch (filter.case) {
    case 'keyIdFilter':
    case 'tokenIdFilter':
      return credential.id === filter.value.id
    case 'userIdFilter':
      return credential.userId === filter.value.id
    case 'organizationIdFilter':
      return organizationId === filter.value.id
    case 'createdDateFilter':
      return passesTime(timestampFromDate(credential.createdAt), filter.value)
    case 'expirationDateFilter':
      return passesTime(expirationOf(credential), filter.value)
    default:
      return true
  }
}

function passesTime(
  time: Timestamp,
  { timestamp, method }: { readonly timestamp?: Timestamp; readonly method: TimestampFilterMethod },
): boolean {
  if (!timestamp) return true
  const difference = timestampDate(time).getTime() - timestampDate(timestamp).getTime()
  switch (method) {
    case TimestampFilterMethod.EQUALS:
      return difference === 0
    case TimestampFilterMethod.AFTER:
      return difference > 0
    case TimestampFilterMethod.AFTER_OR_EQUALS:
      return difference >= 0
    case TimestampFilterMethod.BEFORE:
      return difference < 0
    case TimestampFilterMethod.BEFORE_OR_EQUALS:
      return difference <= 0
  }
}
