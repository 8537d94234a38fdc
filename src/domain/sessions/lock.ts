import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import type { ArtifactStore } from './store.ts'

interface LockOptions {
  /** Called once when it has to wait. */
  readonly waiting?: () => void
  /** How long to wait. */
  readonly patienceMs: number
  /** What is thrown after that. */
  readonly refuse: () => Error
}

/** Runs `work` while nobody else, in whichever process, runs what has the same name. @throws what `refuse` makes */
export type Lock = <T>(name: string, work: () => Promise<T>, options: LockOptions) => Promise<T>

const model = 'Lock'

/** A holder that dies keeps others waiting for so long. */
const leaseMs = 20_000

/** Locks in the store: an artifact that can be inserted once, and that expires unless its holder lives to prolong it. */
export function createLock({ store, now }: { store: Pick<ArtifactStore, 'find' | 'insert' | 'put' | 'remove'>; now: Clock }): Lock {
  return async (id, work, { waiting, patienceMs, refuse }) => {
    const owner = newSecret()
    const lease = () => ({ model, id, payload: { owner }, expiresAt: new Date(now().getTime() + leaseMs) })
    const isOurs = async () => (await store.find(model, id))?.payload.owner === owner

    const deadline = performance.now() + patienceMs
    for (let told = false; !(await store.insert(lease())); told = true) {
      if (performance.now() > deadline) throw refuse()
      if (!told) waiting?.()
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
