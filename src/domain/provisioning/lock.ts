import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#src/base/clock.ts'
import { DomainError } from '#src/base/errors.ts'
import { newSecret } from '#src/base/ids.ts'
import type { ArtifactStore } from '../sessions/store.ts'

/** Another `apply` has been at work for longer than this one would wait. */
class ApplyUnderWay extends DomainError {
  readonly code = 'provisioning.under_way'
  constructor() {
    super('another apply is still at work on this store; nothing was written, try again when it has ended')
  }
}

/** Runs `work` while nobody else, in whichever process, does; `waiting` is called when it has to wait. @throws ApplyUnderWay */
export type Exclusively = <T>(work: () => Promise<T>, waiting: () => void) => Promise<T>

const model = 'Lock'
const id = 'provisioning'

/** A holder that dies keeps others waiting for so long. */
const leaseMs = 20_000
const patienceMs = 10 * 60_000

/** A lock in the store: an artifact that can be inserted once, and that expires unless its holder lives to prolong it. */
export function createLock({ store, now }: { store: Pick<ArtifactStore, 'find' | 'insert' | 'put' | 'remove'>; now: Clock }): Exclusively {
  return async (work, waiting) => {
    const owner = newSecret()
    const lease = () => ({ model, id, payload: { owner }, expiresAt: new Date(now().getTime() + leaseMs) })
    const isOurs = async () => (await store.find(model, id))?.payload.owner === owner

    const deadline = performance.now() + patienceMs
    for (let told = false; !(await store.insert(lease())); told = true) {
      if (performance.now() > deadline) throw new ApplyUnderWay()
      if (!told) waiting()
      await delay(100 + Math.random() * 200)
    }
    // A renewal that fails is tried again at the next turn; only a store that is gone for the whole lease lets somebody else in.
    const renewal = setInterval(() => {
      isOurs()
        .then((ours) => (ours ? store.put(lease()) : undefined))
        .catch(() => undefined)
    }, leaseMs / 4)
    renewal.unref()
    try {
      return await work()
    } finally {
      clearInterval(renewal)
      if (await isOurs()) await store.remove(model, id)
    }
  }
}
