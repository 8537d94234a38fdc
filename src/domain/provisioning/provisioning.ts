/**
 * Provisioning: a configuration file against what is stored (contracts/operating.md, section 3).
 *
 * Owns the file's format, the comparison and the order of writing: the catalogue in one transaction, then users one by one. What is
 * right for a user, a key or a secret is for those rooms to say; they are handed in. Reads no file and no environment, and prints nothing.
 */
import { DomainError } from '#src/base/errors.ts'
import { everyItem } from '#src/base/page.ts'
import type { Catalogue } from '../applications/catalogue.ts'
import type { Actor } from '../audit/events.ts'
import type { Keys } from '../keys/keys.ts'
import type { Lock } from '../sessions/lock.ts'
import type { Change } from './change.ts'
import { createExport } from './export.ts'
import type { ConfigurationFile } from './file.ts'
import { type CatalogueDeps, type CataloguePlan, planCatalogue } from './planCatalogue.ts'
import { planUsers, type UserDeps, type UserPlan } from './planUsers.ts'

export interface ProvisioningDeps extends CatalogueDeps, UserDeps {
  readonly catalogue: Catalogue
  readonly keys: Pick<Keys, 'ensure'>
  readonly exclusively: Lock
}

/** What an apply tells while it is at work. */
export interface ApplyWatcher {
  /** Something was written, or needs no writing. Called once a change, in order. */
  done?(change: Change): void
  /** So many of all users have been compared, or written. */
  progress?(step: 'comparing' | 'writing', done: number, all: number): void
  /** Another apply is at work, and this one waits. */
  waiting?(): void
}

export interface ApplyOptions extends ApplyWatcher {
  /** Throws where something is not any more as whoever asks has seen it: called before anything is written, when nobody else can write in between. */
  readonly assertStill?: () => Promise<void>
  /** How long to wait for another apply; ten minutes where it is left out. */
  readonly patienceMs?: number
}

interface Plan {
  readonly catalogue: CataloguePlan
  readonly users: readonly UserPlan[]
  readonly surplus: readonly UserPlan[]
}

/** Another `apply` has been at work for longer than this one would wait. */
class ApplyUnderWay extends DomainError {
  readonly code = 'provisioning.under_way'
  constructor() {
    super('another apply is still at work on this store; nothing was written, try again when it has ended')
  }
}

const usualPatienceMs = 10 * 60_000

/** How often a plan is made anew because the catalogue was changed by somebody else meanwhile. */
const mostAttempts = 10

export function createProvisioning(deps: ProvisioningDeps) {
  const { catalogue, users, keys, exclusively } = deps

  /** @throws FileFaults when there is anything wrong with the file itself or beside what is stored */
  async function planOf(file: ConfigurationFile, actor: Actor, watcher: ApplyWatcher): Promise<Plan> {
    const plan = await planCatalogue(file, actor, deps)
    const userPlans = await planUsers(file, plan, deps, (done) => watcher.progress?.('comparing', done, file.users.length))
    file.faults.throwIfAny()
    return { catalogue: plan, users: userPlans, surplus: file.prune ? await surplusOf(file, userPlans) : [] }
  }

  /** Users that an earlier apply of the same file made, and that it no longer lists. */
  async function surplusOf(file: ConfigurationFile, listed: readonly UserPlan[]): Promise<readonly UserPlan[]> {
    const kept = new Set(listed.map((each) => each.id))
    const surplus: UserPlan[] = []
    for await (const { id, username, provisionedBy } of everyItem(users.list)) {
      if (provisionedBy !== file.mark || kept.has(id)) continue
      const change = { kind: 'user', name: username, change: 'remove' } as const
      surplus.push({ id, change, write: (actor) => users.remove(id, actor) })
    }
    return surplus
  }

  async function write(plan: Plan, actor: Actor, watcher: ApplyWatcher): Promise<void> {
    // First the keys: an application must find one of its algorithm from the moment it is there.
    if (plan.catalogue.commit) {
      await keys.ensure(plan.catalogue.algorithms, actor)
      await catalogue.commit(plan.catalogue.commit)
    }
    for (const change of plan.catalogue.changes) watcher.done?.(change)
    const all = [...plan.users, ...plan.surplus]
    for (const [index, { change, write: writeUser }] of all.entries()) {
      if (change.change !== 'none') await writeUser(actor)
      watcher.done?.(change)
      watcher.progress?.('writing', index + 1, all.length)
    }
  }

  return {
    /**
     * What `apply` would do, without doing it. A secret that it would make is not in the answer: it does not exist.
     * @throws FileFaults
     */
    async preview(file: ConfigurationFile, actor: Actor, watcher: ApplyWatcher = {}): Promise<readonly Change[]> {
      const plan = await planOf(file, actor, watcher)
      return changesOf(plan).map(({ clientSecret: _, ...change }) => change)
    },

    /**
     * Makes the store what the file says, and answers what that took. Writes nothing when nothing differs. Of several at once one
     * works and the others wait for it.
     * @throws FileFaults with nothing written, and so what `assertStill` throws; ApplyUnderWay; CatalogueMoved; what the store refuses, where somebody else changes the same at this moment
     */
    async apply(
      file: ConfigurationFile,
      actor: Actor,
      { assertStill, patienceMs = usualPatienceMs, ...watcher }: ApplyOptions = {},
    ): Promise<readonly Change[]> {
      const first = await planOf(file, actor, watcher)
      if (changesOf(first).every(({ change }) => change === 'none')) {
        await write(first, actor, watcher)
        return changesOf(first)
      }
      return exclusively(
        'provisioning',
        async () => {
          for (let attempt = 1; ; attempt += 1) {
            // Compared again: whoever had the lock before may have written the same.
            const plan = await planOf(file, actor, watcher)
            // After the plan, which is refused when anything has moved since it was begun.
            await assertStill?.()
            try {
              await write(plan, actor, watcher)
              return changesOf(plan)
            } catch (error) {
              // A key that was made for this file moves the catalogue too.
              if ((error as Partial<DomainError>).code !== 'catalogue.moved' || attempt === mostAttempts) throw error
            }
          }
        },
        { waiting: () => watcher.waiting?.(), patienceMs, refuse: () => new ApplyUnderWay() },
      )
    },

    export: createExport({ catalogue, users }),
  }
}

const changesOf = ({ catalogue, users, surplus }: Plan): readonly Change[] => [
  ...catalogue.changes,
  ...[...users, ...surplus].map(({ change }) => change),
]
