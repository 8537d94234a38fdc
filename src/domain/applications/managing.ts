/**
 * Who may change whom, whichever API or page it is done by: nobody gets beyond what they hold, and an administrator is always left. The roles themselves are in
 * `ownRoles.ts`.
 */
import { DomainError } from '#src/base/errors.ts'
import type { User, UserId } from '../users/user.ts'
import { grantedIn } from './heldRoles.ts'
import { holdsAll } from './ownRoles.ts'

/** Somebody would change who may do more than they, or give what they do not hold. */
export class NotAllowed extends DomainError {
  readonly code = 'management.not_allowed'
  constructor() {
    super('your role does not allow this')
  }
}

/** Somebody would shut themselves out, or change what they manage by. */
export class NotToYourself extends DomainError {
  readonly code = 'management.not_to_yourself'
  constructor() {
    super('you cannot do this to yourself: another manager has to')
  }
}

/** Somebody who manages, with the roles of Dossier's own project that they hold. */
export interface Manager {
  readonly user: User
  readonly held: readonly string[]
}

export interface ManagingDeps {
  readonly findUser: (id: UserId) => Promise<User | undefined>
  readonly ownProjectId: () => string
  /** Runs `work` while nobody else runs what has the same name. */
  readonly exclusively: <T>(name: string, work: () => Promise<T>) => Promise<T>
}

/** The roles of Dossier's own project that a user holds: an administrator holds `IAM_OWNER`. */
export const heldBy = (user: User, ownProjectId: string): readonly string[] => [
  ...(user.admin ? ['IAM_OWNER'] : []),
  ...grantedIn(user, ownProjectId),
]

/** Whether somebody was given any role of Dossier's own project, also one that is switched off for now. */
export const manages = ({ admin, roles }: Pick<User, 'admin' | 'roles'>, ownProjectId: string): boolean =>
  admin || (roles[ownProjectId] ?? []).length > 0

export type Managing = ReturnType<typeof createManaging>

export function createManaging({ findUser, ownProjectId, exclusively }: ManagingDeps) {
  /** Refuses a grant that goes beyond what the manager holds. @throws NotAllowed */
  function assertMayGrant({ held }: Manager, projectId: string, roles: readonly string[]): void {
    if (projectId === ownProjectId() && !holdsAll(held, roles)) throw new NotAllowed()
  }

  const isOwner = (user: User) => heldBy(user, ownProjectId()).includes('IAM_OWNER')

  return {
    heldBy: (user: User) => heldBy(user, ownProjectId()),

    /**
     * Whether somebody may change a user: with another's password, address or key they would be that other. Everybody may change themselves as far as they get the chance.
     */
    mayChange({ user: manager, held }: Manager, user: User): boolean {
      // What is switched off for now counts too: it may be switched on again.
      const theirs = [...heldBy(user, ownProjectId()), ...(user.roles[ownProjectId()] ?? [])]
      return user.id === manager.id || holdsAll(held, theirs)
    },

    assertMayGrant,

    /** @throws NotToYourself. Whoever removes an administrator is another one, so the last of them stays. */
    assertAnother({ user: manager }: Manager, user: User): void {
      if (user.id === manager.id) throw new NotToYourself()
    },

    /**
     * Does something to an administrator, one manager after the other: of two who would each shut the other out at the same moment, the second is an administrator no more.
     * @throws NotAllowed, Busy
     */
    async keepingAnAdministrator<T>({ user: manager }: Manager, user: User, work: () => Promise<T>): Promise<T> {
      if (!isOwner(user)) return work()
      return exclusively('administrators', async () => {
        const now = await findUser(manager.id)
        if (now?.state !== 'active' || !isOwner(now)) throw new NotAllowed()
        return work()
      })
    },
  }
}
