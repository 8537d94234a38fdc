import { createHmac } from 'node:crypto'
import { epochSeconds } from '#src/base/clock.ts'
import type { Gathering } from '../audit/gathering.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { Target } from './action.ts'

/** A call to an address of the operator's: answers the status and, when it is wanted, the body. @throws when there is no answer in time */
export type CallOut = (call: {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
}) => Promise<{ readonly status: number; readonly body: string }>

export interface RunDeps {
  readonly callOut: CallOut
  readonly signingKeyOf: (target: Target) => string
  readonly gathering: Pick<Gathering, 'note'>
  readonly recorder: Recorder
}

/** What came of a call. `body` is there when it is to be heard. */
type Outcome = { readonly kind: 'done'; readonly body?: string } | { readonly kind: 'failed'; readonly reason: string }

/** Calls one target for `cause`, and records that it was called, never what was said. */
export type RunTarget = (target: Target, cause: string, payload: object) => Promise<Outcome>

export function createRunTarget({ callOut, signingKeyOf, gathering, recorder }: RunDeps): RunTarget {
  async function call(target: Target, body: string): Promise<Outcome> {
    const { kind, endpoint, timeoutMs } = target
    try {
      const headers = { 'content-type': 'application/json', 'zitadel-signature': signatureOf(body, signingKeyOf(target), recorder.now()) }
      const reply = await callOut({ url: endpoint, body, headers, timeoutMs })
      if (reply.status >= 400) return { kind: 'failed', reason: `it answered ${reply.status}` }
      return kind === 'call' ? { kind: 'done', body: reply.body } : { kind: 'done' }
    } catch (error) {
      return { kind: 'failed', reason: reasonOf(error) }
    }
  }

  return async function runTarget(target, cause, payload) {
    const outcome = call(target, JSON.stringify(payload)).then((each) => {
      const subject = { kind: 'target', id: target.id } as const
      const failure = each.kind === 'failed' ? { reason: each.reason } : {}
      gathering.note(recorder.event('target.called', { kind: 'system' }, subject, { cause, ...failure }))
      return each
    })
    return target.kind === 'async' ? { kind: 'done' } : outcome
  }
}

/** `ZITADEL-Signature`: the time, and an HMAC-SHA-256 over it and the body, so that an old call cannot be sent again unnoticed. */
export function signatureOf(body: string, key: string, at: Date): string {
  const time = epochSeconds(at)
  return `t=${time},v1=${createHmac('sha256', key).update(`${time}.${body}`).digest('hex')}`
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } }
  return [message, cause?.code ?? cause?.message].filter(Boolean).join(': ').slice(0, 300)
}
