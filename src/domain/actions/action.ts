/**
 * Actions: calls to addresses of the operator's that add to what is told of a user, or that tell what happened to one (ZITADEL's targets and executions).
 *
 * Owns targets and what they are called for. How a call goes out is handed in; what is appended to claims, the engine decides with.
 */
import { DomainError } from '#src/base/errors.ts'

/**
 * How a target is called: a `webhook` is waited for and its answer thrown away, the answer of a `call` is heard, and nobody waits for an `async` one.
 */
type TargetKind = 'webhook' | 'call' | 'async'

export interface Target {
  readonly id: string
  readonly name: string
  readonly kind: TargetKind
  /** Whether a failure ends what it is called for. */
  readonly interruptOnError: boolean
  readonly endpoint: string
  readonly timeoutMs: number
  /** The key of the signature over each call, sealed. */
  readonly signingKeySealed: string
  readonly createdAt: Date
  readonly changedAt: Date
}

/** The functions that call targets: where claims are made. */
export const actionFunctions = ['preuserinfo', 'preaccesstoken'] as const
export type ActionFunction = (typeof actionFunctions)[number]

/** What targets are called for, in ZITADEL's form: `function/preuserinfo`, `event`, `event/user.metadata.set`, `event/user.human.*` for all that begin so. */
export type Condition = string

export interface Execution {
  readonly condition: Condition
  /** Ids of targets, in the order in which they are called. */
  readonly targets: readonly string[]
  readonly createdAt: Date
  readonly changedAt: Date
}

export class TargetNotFound extends DomainError {
  readonly code = 'target.not_found'
  constructor(id: string) {
    super(`there is no target ${JSON.stringify(id)}`)
  }
}

export class TargetInvalid extends DomainError {
  readonly code = 'target.invalid'
}

export class ExecutionInvalid extends DomainError {
  readonly code = 'execution.invalid'
}

/** A target with `interruptOnError` has failed. */
export class ActionInterrupted extends DomainError {
  readonly code = 'action.interrupted'
  constructor(target: string) {
    super(`the target ${JSON.stringify(target)} has interrupted the request`)
  }
}
