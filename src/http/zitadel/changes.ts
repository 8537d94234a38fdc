/** The history of a user, as ZITADEL tells it, from the audit trail. What changed nothing about the user, like a sign-in, is not in it: it has no number. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ChangeQuery, ChangeSchema } from '@zitadel/proto/zitadel/change_pb.js'
import type { Actor, Change } from '#src/domain/audit/events.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import { nameOfEvent } from './action/events.ts'
import { listQueryOf } from './pagination.ts'
import { displayNameOf } from './profile.ts'
import { existing, type UsersNeeds } from './users.ts'

type Needs = Pick<UsersNeeds, 'audit' | 'users' | 'organizationId'>

/**
 * The changes of a user beyond `sequence`, which is that of the last change that the caller has seen: newest first, or oldest first with `asc`.
 * @throws StatusError 404 when there never was such a user
 */
export async function changesOf(
  needs: Needs,
  userId: string,
  query: ChangeQuery | undefined,
): Promise<MessageInitShape<typeof ChangeSchema>[]> {
  const { limit, ascending } = listQueryOf(query && { offset: 0n, limit: query.limit, asc: query.asc })
  // A number of 64 bits is past any that there is.
  const beyond = query && query.sequence > 0n ? Math.min(Number(query.sequence), Number.MAX_SAFE_INTEGER) : undefined
  const found = await needs.audit.changes(userId, { beyond, ascending, limit })
  if (found.length === 0) await existing(needs, userId)
  const editors = await editorsOf(needs, found)
  return found.map((change) => {
    const name = nameOfEvent(change) ?? change.type
    return {
      changeDate: timestampFromDate(change.at),
      eventType: { key: `EventTypes.${name}`, localizedMessage: phrases[name] ?? name },
      sequence: BigInt(change.sequence),
      ...editorOf(change.actor, editors),
      resourceOwnerId: needs.organizationId(),
    }
  })
}

async function editorsOf({ users }: Needs, changes: readonly Change[]): Promise<ReadonlyMap<string, User>> {
  const ids = new Set(changes.flatMap(({ actor }) => (actor.kind === 'user' ? [actor.id] : [])))
  const found = await Promise.all([...ids].map((id) => users.find(id as UserId)))
  return new Map(found.flatMap((user) => (user ? [[user.id, user] as const] : [])))
}

function editorOf(actor: Actor, editors: ReadonlyMap<string, User>) {
  if (actor.kind !== 'user') return { editorId: actor.kind, ...(actor.kind === 'cli' && { editorDisplayName: actor.name }) }
  const editor = editors.get(actor.id)
  return {
    editorId: actor.id,
    ...(editor && {
      editorDisplayName: displayNameOf(editor),
      editorPreferredLoginName: editor.username,
      editorAvatarUrl: editor.profile.picture,
    }),
  }
}

const phrases: Readonly<Record<string, string>> = {
  'user.human.added': 'Person added',
  'user.machine.added': 'Service user added',
  'user.username.changed': 'Username changed',
  'user.human.profile.changed': 'Profile changed',
  'user.grant.changed': 'Authorization changed',
  'user.machine.secret.updated': 'Secret changed',
  'user.human.password.changed': 'Password changed',
  'user.human.password.hash.updated': 'Password hash updated',
  'user.deactivated': 'User deactivated',
  'user.reactivated': 'User reactivated',
  'user.locked': 'User locked',
  'user.unlocked': 'User unlocked',
  'user.removed': 'User removed',
  'user.machine.key.added': 'Key added',
  'user.machine.key.removed': 'Key removed',
  'user.metadata.set': 'Metadata set',
  'user.metadata.removed': 'Metadata removed',
}
