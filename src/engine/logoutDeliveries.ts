/**
 * Back-channel logout (OpenID Connect Back-Channel Logout 1.0): every application of a session that ended is told. One that does not take it is told
 * again, for a quarter of an hour; each attempt is in the audit trail. What still waits when the process stops is recorded as failed.
 */
import type { Provider } from 'oidc-provider'
import type { Gathering } from '#src/domain/audit/gathering.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'

/** Pauses before the second attempt and the following ones, in seconds. */
const pauses = [1, 5, 30, 120, 600]
/** So many applications are told at the same time. */
const atOnce = 20

interface ToldClient {
  readonly clientId: string
  readonly backchannelLogoutUri?: string
}

type Tell = (this: ToldClient, userId: string, sid: string | undefined) => Promise<void>

interface Delivery {
  readonly client: ToldClient
  readonly userId: string
  readonly sid: string | undefined
  readonly attempt: number
}

export interface LogoutDeliveries {
  /** Tells an application, if it wants to be told, without waiting for its answer. */
  tell(clientId: string, userId: string, sid: string | undefined): Promise<void>
  /** Gives up what waits for a further attempt, and says so in the trail. */
  stop(): void
}

export interface DeliveriesDeps {
  readonly provider: Provider
  readonly gathering: Gathering
  readonly recorder: Recorder
  readonly onUndelivered: OnUndelivered
}

/** Told of each attempt that failed, for the operator. */
export type OnUndelivered = (facts: { clientId: string; reason: string; attempt: number; givenUp: boolean }) => void

/** Takes the telling over from the engine, which does it once and lets the person wait meanwhile. */
export function installLogoutDeliveries({ provider, gathering, recorder, onUndelivered }: DeliveriesDeps): LogoutDeliveries {
  const prototype = (provider.Client as unknown as { prototype: { backchannelLogout: Tell } }).prototype
  const { backchannelLogout: send } = prototype
  const queue: Delivery[] = []
  const waiting = new Map<NodeJS.Timeout, Delivery>()
  let running = 0

  function record({ client: { clientId }, userId, sid, attempt }: Delivery, failure?: { reason: string; givenUp: boolean }): void {
    const subject = { kind: 'user', id: userId } as const
    const facts = { clientId, sid, attempt }
    const actor = { kind: 'system' } as const
    if (failure) {
      gathering.note(recorder.event('logout.failed', actor, subject, { ...facts, ...failure }))
      onUndelivered({ clientId, attempt, ...failure })
    } else gathering.note(recorder.event('logout.delivered', actor, subject, facts))
  }

  async function attempt(delivery: Delivery): Promise<void> {
    try {
      await send.call(delivery.client, delivery.userId, delivery.sid)
      record(delivery)
    } catch (error) {
      const pause = pauses[delivery.attempt - 1]
      record(delivery, { reason: reasonOf(error), givenUp: pause === undefined })
      if (pause === undefined) return
      const timer = setTimeout(() => {
        waiting.delete(timer)
        enqueue({ ...delivery, attempt: delivery.attempt + 1 })
      }, pause * 1000)
      timer.unref()
      waiting.set(timer, delivery)
    }
  }

  function enqueue(delivery: Delivery): void {
    queue.push(delivery)
    next()
  }

  function next(): void {
    while (running < atOnce) {
      const delivery = queue.shift()
      if (!delivery) return
      running += 1
      void attempt(delivery).finally(() => {
        running -= 1
        next()
      })
    }
  }

  Object.assign(prototype, {
    async backchannelLogout(this: ToldClient, userId: string, sid: string | undefined) {
      enqueue({ client: this, userId, sid, attempt: 1 })
    },
  })

  return {
    async tell(clientId, userId, sid) {
      const client = (await provider.Client.find(clientId)) as unknown as ToldClient | undefined
      if (client?.backchannelLogoutUri) enqueue({ client, userId, sid, attempt: 1 })
    },

    stop() {
      for (const [timer, delivery] of waiting) {
        clearTimeout(timer)
        record({ ...delivery, attempt: delivery.attempt + 1 }, { reason: 'the server stopped', givenUp: true })
      }
      waiting.clear()
    },
  }
}

/** What went wrong, in a few words: a network's reason stands behind the one of `fetch`. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
