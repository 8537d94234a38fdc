import type { Clock } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import type { ArtifactStore } from './store.ts'

/** A job that one of several servers does, again and again; another goes on with it when that one is gone. */
export interface Lease {
  /** Takes the job, or keeps it; `false` while another server has it. To be asked more often than twice a minute. */
  hold(): Promise<boolean>
  /** Gives the job away, so that another server need not wait until the lease is over. */
  release(): Promise<void>
}

const model = 'Lock'
const leaseMs = 60_000

export function createLease({
  artifacts,
  id,
  now,
}: {
  artifacts: Pick<ArtifactStore, 'find' | 'insert' | 'put' | 'remove'>
  id: string
  now: Clock
}): Lease {
  const owner = newSecret()
  let heldUntil = 0

  return {
    async hold() {
      const at = now().getTime()
      if (heldUntil - at > leaseMs / 2) return true
      const lease = { model, id, payload: { owner }, expiresAt: new Date(at + leaseMs) }
      if (!(await artifacts.insert(lease))) {
        heldUntil = 0
        if ((await artifacts.find(model, id))?.payload.owner !== owner) return false
        await artifacts.put(lease)
      }
      heldUntil = at + leaseMs
      return true
    },
    async release() {
      if (heldUntil === 0) return
      heldUntil = 0
      if ((await artifacts.find(model, id).catch(() => undefined))?.payload.owner === owner) await artifacts.remove(model, id)
    },
  }
}
