/** Functions of apps as everybody else knows them: called by name, with BSON values, on somebody's behalf. */
import { DomainError } from '#src/base/errors.ts'
import type { AppView } from './app.ts'
import type { AppUser } from './userObject.ts'

/** What is known of the request that a call came by. */
export interface CallerFacts {
  readonly address: string
  readonly userAgent?: string
  readonly requestId?: string
}

export interface FunctionCall {
  readonly view: AppView
  readonly name: string
  /** BSON values. */
  readonly arguments: readonly unknown[]
  /** On whose behalf it runs: rules apply as to them, and not at all to the system. */
  readonly user: AppUser
  readonly facts?: CallerFacts
}

/** Runs a function, whoever may call it, and answers what it returned: BSON values. @throws FunctionFailed, FunctionNotFound, Busy */
export type CallFunction = (call: FunctionCall) => Promise<unknown>

/** Why a source is no function, and where: lines and columns begin at 1. */
export interface SyntaxFault {
  readonly message: string
  readonly line?: number
  readonly column?: number
}

/** A function threw, took too long or too much memory: the message is its own, and the client is told it. */
export class FunctionFailed extends DomainError {
  readonly code = 'app.function_failed'
  /** What App Services calls it: `FunctionExecutionError`, `ExecutionTimeLimitExceeded`, `MemoryLimitExceeded`, `FunctionSyntaxError` … */
  readonly errorCode: string
  constructor(message: string, options: ErrorOptions & { readonly errorCode?: string } = {}) {
    super(message, options)
    this.errorCode = options.errorCode ?? 'FunctionExecutionError'
  }
}

export class FunctionNotFound extends DomainError {
  readonly code = 'app.function_not_found'
  constructor(name: string) {
    super(`function not found: '${name}'`)
  }
}
