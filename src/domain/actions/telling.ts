import { setTimeout as delay } from 'node:timers/promises'
import { inRounds } from '#src/base/rounds.ts'
import type { AuditEvent } from '../audit/events.ts'
import type { Following } from '../audit/following.ts'
import type { Lease } from '../sessions/lease.ts'
import { targetsFor } from './actions.ts'
import type { RunTarget } from './run.ts'
import type { ActionStore, StoredActions } from './store.ts'

export interface TellingDeps {
  readonly store: Pick<ActionStore, 'list'>
  readonly following: Following
  readonly lease: Lease
  readonly runTarget: RunTarget
  /** The name under which others know an event, and what they are told of it; nothing for an event that is nobody's business. */
  readonly describe: (event: AuditEvent) => { readonly name: string; readonly payload: object } | undefined
  readonly onFault: (error: unknown) => void
}

const lookEveryMs = 1000
const atOnce = 100
/** Pauses before the second and third attempt. */
const pausesMs = [1000, 5000]

/**
 * Tells targets what happened to users, at least once, and in order for each user. Of several servers one does it; where it stands is kept in the store, so that
 * another goes on when it is gone. A target that has not taken an event after the third attempt has missed it, which is in the trail. `stop` it when the server goes.
 */
export function tellOfEvents({ store, following, lease, runTarget, describe, onFault }: TellingDeps): { stop(): Promise<void> } {
  const stopping = new AbortController()

  async function look(): Promise<void> {
    const actions = await store.list()
    if (!actions.executions.some(({ condition }) => condition.startsWith('event'))) return following.end()
    if (!(await lease.hold())) return
    const { events, pass } = await following.read(atOnce)
    await tellAll(events, actions)
    await pass()
  }

  async function tellAll(events: readonly AuditEvent[], actions: StoredActions): Promise<void> {
    const bySubject = new Map<string, AuditEvent[]>()
    for (const event of events) bySubject.set(event.subject.id, [...(bySubject.get(event.subject.id) ?? []), event])
    await Promise.all(
      [...bySubject.values()].map(async (own) => {
        for (const event of own) await tell(event, actions)
      }),
    )
  }

  async function tell(event: AuditEvent, actions: StoredActions): Promise<void> {
    const described = describe(event)
    if (!described) return
    for (const target of targetsFor(described.name, actions)) {
      for (let attempt = 0; ; attempt += 1) {
        const outcome = await runTarget(target, `event/${described.name}`, described.payload)
        const pause = pausesMs[attempt]
        if (outcome.kind === 'done' || pause === undefined || stopping.signal.aborted) break
        await lease.hold()
        await delay(pause, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined)
      }
    }
  }

  const rounds = inRounds({ everyMs: lookEveryMs, work: look, onFault })

  return {
    async stop() {
      stopping.abort()
      await rounds.stop()
      await lease.release()
    },
  }
}
