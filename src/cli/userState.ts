import { DomainError } from '#src/base/errors.ts'
import type { Domain } from '#src/composeDomain.ts'
import type { User, UserState } from '#src/domain/users/user.ts'
import { type Command, operandsOf } from './command.ts'
import { confirm } from './terminal.ts'
import { actor, getUser, withDomain } from './withDomain.ts'

/** The user is in a state that another command is for. */
class WrongState extends DomainError {
  readonly code = 'cli.wrong_state'
}

interface Move {
  readonly verb: 'deactivate' | 'reactivate' | 'unlock'
  readonly summary: string
  readonly done: string
  readonly already: string
  readonly to: UserState
  /** The state in which another command is the right one, and which. */
  readonly refuse?: { readonly state: UserState; readonly instead: string }
  readonly move: (domain: Domain, user: User) => Promise<User>
}

/** A command that moves a user to another state, or finds them there. */
const commandOf = ({ verb, summary, done, already, to, refuse, move }: Move): Command => ({
  name: `user ${verb}`,
  summary,
  operands: 'USER',
  options: {},
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    return withDomain(invocation, async (domain) => {
      const user = await getUser(domain, name)
      if (user.state === refuse?.state) throw new WrongState(`${user.username} is ${user.state}; use "dossier user ${refuse.instead}"`)
      const { id, username, state } = await move(domain, user)
      return { json: { id, username, state }, text: [`${username} ${user.state === to ? already : done}`] }
    })
  },
})

export const userDeactivateCommand = commandOf({
  verb: 'deactivate',
  summary: 'Shut a user out: no sign-in, and what they hold stops working at once',
  done: 'is deactivated: all sessions have ended, and no token works',
  already: 'is inactive already',
  to: 'inactive',
  move: ({ users }, { id }) => users.deactivate(id, actor),
})

export const userReactivateCommand = commandOf({
  verb: 'reactivate',
  summary: 'Let a deactivated user in again',
  done: 'is active again',
  already: 'is active already',
  to: 'active',
  refuse: { state: 'locked', instead: 'unlock' },
  move: ({ users }, { id }) => users.reactivate(id, actor),
})

export const userUnlockCommand = commandOf({
  verb: 'unlock',
  summary: 'Let a user in again who is locked, or must wait after too many wrong passwords',
  done: 'is unlocked, and need not wait',
  already: 'was not locked, and need not wait any more',
  to: 'active',
  refuse: { state: 'inactive', instead: 'reactivate' },
  move: ({ users }, { id }) => users.unlock(id, actor),
})

export const userRemoveCommand: Command = {
  name: 'user remove',
  summary: 'Remove a user for good, with metadata, tokens and sessions; the id is never given out again',
  operands: 'USER',
  options: { yes: { type: 'boolean', help: 'Do not ask' } },
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    return withDomain(invocation, async (domain) => {
      const { id, username } = await getUser(domain, name)
      await confirm(invocation, `This removes ${username} (${id}) with all metadata, tokens and sessions`)
      await domain.users.remove(id, actor)
      return { json: { id, username, removed: true }, text: [`${username} is removed`] }
    })
  },
}
