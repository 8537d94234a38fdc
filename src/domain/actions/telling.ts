import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import type { AuditEvent, AuditStore, EventType } from '../audit/events.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import { targetsFor } from './actions.ts'
import type { RunTarget } from './run.ts'
import type { ActionStore, StoredActions } from './store.ts'

export interface TellingDeps {
  readonly store: Pick<ActionStore, 'list'>
  readonly audit: Pick<AuditStore, 'since'>
  readonly artifacts: Pick<ArtifactStore, 'find' | 'insert' | 'put' | 'remove'>
  readonly runTarget: RunTarget
  /** Events that somebody may be told of. */
  readonly types: readonly EventType[]
  /** The name under which others know an event, and what they are told of it; nothing for an event that is nobody's business. */
  readonly describe: (event: AuditEvent) => { readonly name: string; readonly payload: object } | undefined
  readonly onFault: (error: unknown) => void
  readonly now: Clock
}

const lookEveryMs = 1000
const leaseMs = 60_000
const atOnce = 100
/** Pauses before the second and third attempt. */
const pausesMs = [1000, 5000]

const cursorModel = 'ActionCursor'
const lockModel = 'Lock'
const id = 'actions'

/** Notes the moment from which somebody is to be told, unless somebody is told already; to be called again once it is written that they are. */
export type BeginTelling = () => Promise<() => Promise<void>>

export function createBeginTelling({
  audit,
  artifacts,
  types,
}: Pick<TellingDeps, 'audit' | 'types'> & { readonly artifacts: Pick<ArtifactStore, 'insert'> }): BeginTelling {
  return async () => {
    const { cursor } = await audit.since(undefined, types, 1)
    const keep = async () => {
      await artifacts.insert({ model: cursorModel, id, payload: { cursor } })
    }
    await keep()
    return keep
  }
}

/**
 * Tells targets what happened to users, at least once, and in order for each user. Of several servers one does it; where it stands is kept in the store, so that
 * another goes on when it is gone. A target that has not taken an event after the third attempt has missed it, which is in the trail. `stop` it when the server goes.
 */
export function tellOfEvents({ store, audit, artifacts, runTarget, types, describe, onFault, now }: TellingDeps): {
  stop(): Promise<void>
} {
  const owner = newSecret()
  const stopping = new AbortController()
  let working: Promise<void> | undefined

  async function look(): Promise<void> {
    const actions = await store.list()
    if (!actions.executions.some(({ condition }) => condition.startsWith('event'))) {
      // Whoever is told from now on is not told what was before.
      if (await artifacts.find(cursorModel, id)) await artifacts.remove(cursorModel, id)
      return
    }
    if (!(await hold())) return
    const cursor = (await artifacts.find(cursorModel, id))?.payload.cursor as string | undefined
    const { events, cursor: next } = await audit.since(cursor, types, atOnce)
    await tellAll(events, actions)
    if (next !== cursor) await artifacts.put({ model: cursorModel, id, payload: { cursor: next } })
  }

  /** Takes the lease, or prolongs it; `false` while another server has it. */
  async function hold(): Promise<boolean> {
    const lease = { model: lockModel, id, payload: { owner }, expiresAt: new Date(now().getTime() + leaseMs) }
    if (await artifacts.insert(lease)) return true
    if ((await artifacts.find(lockModel, id))?.payload.owner !== owner) return false
    await artifacts.put(lease)
    return true
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
        await hold()
        await delay(pause, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined)
      }
    }
  }

  const timer = setInterval(() => {
    working ??= look()
      .catch(onFault)
      .finally(() => {
        working = undefined
      })
  }, lookEveryMs)
  timer.unref()

  return {
    async stop() {
      clearInterval(timer)
      stopping.abort()
      await working
      // Another server need not wait until the lease is over.
      if ((await artifacts.find(lockModel, id).catch(() => undefined))?.payload.owner === owner) await artifacts.remove(lockModel, id)
    },
  }
}
