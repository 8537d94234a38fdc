/** Switching users off and on, and removing them: the same in both APIs but for the names of refusals. */
import type { Actor } from '#src/domain/audit/events.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import type { Caller } from './authenticate.ts'
import { StatusError } from './errors.ts'
import { actorOf, changeable, shuttingOut, type UsersNeeds } from './users.ts'

/** Moves a user to another state. @throws StatusError 404, 403, and 400 when they are not in a state to come from */
export type MoveUser = (caller: Caller, id: string) => Promise<User>

type Move = 'deactivate' | 'reactivate' | 'lock' | 'unlock'

interface Rule {
  readonly from: readonly User['state'][]
  readonly text: string
}

const rules: Readonly<Record<Move, Rule>> = {
  deactivate: { from: ['active', 'locked'], text: 'User is already inactive' },
  reactivate: { from: ['inactive'], text: 'User is not inactive' },
  lock: { from: ['active'], text: 'User is not active or initial' },
  unlock: { from: ['locked'], text: 'User is not locked' },
}

type Needs = Pick<UsersNeeds, 'users' | 'managing' | 'now'>

/** The four moves; `ids` are those of the refusals. */
export function createMoves(needs: Needs, ids: Readonly<Record<Move, string>>): Readonly<Record<Move, MoveUser>> {
  const move =
    (name: Move): MoveUser =>
    async (caller, id) => {
      const user = await changeable(needs, caller, id)
      const { from, text } = rules[name]
      if (!from.includes(user.state)) throw new StatusError('failedPrecondition', text, { id: ids[name] })
      const change: (id: UserId, actor: Actor) => Promise<User> = needs.users[name]
      if (name === 'reactivate' || name === 'unlock') return change(user.id, actorOf(caller))
      return shuttingOut(needs, caller, user, () => change(user.id, actorOf(caller)))
    }
  return { deactivate: move('deactivate'), reactivate: move('reactivate'), lock: move('lock'), unlock: move('unlock') }
}

/** Removes a user; answers when, and with which change. @throws StatusError 404, 403, 400 */
export async function removeUser(
  needs: Needs,
  caller: Caller,
  id: string,
): Promise<{ readonly sequence: number; readonly changedAt: Date }> {
  const user = await changeable(needs, caller, id)
  await shuttingOut(needs, caller, user, () => needs.users.remove(user.id, actorOf(caller)))
  return { sequence: user.sequence + 1, changedAt: needs.now() }
}
