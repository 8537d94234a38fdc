import type { AuditEvent } from '../audit/events.ts'
import type { Execution, Target } from './action.ts'

interface ActionsChange {
  readonly putTargets?: readonly Target[]
  readonly removeTargets?: readonly string[]
  readonly putExecutions?: readonly Execution[]
  /** By condition. */
  readonly removeExecutions?: readonly string[]
  readonly events: readonly AuditEvent[]
}

export interface StoredActions {
  /** Oldest first. */
  readonly targets: readonly Target[]
  /** By condition. */
  readonly executions: readonly Execution[]
}

/** Few and small: they are read as a whole, and kept until the catalogue's revision moves, which a commit does. */
export interface ActionStore {
  list(): Promise<StoredActions>
  commit(change: ActionsChange): Promise<void>
}
