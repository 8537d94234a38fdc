import type { Execution, Target } from '#src/domain/actions/action.ts'
import type { ActionStore } from '#src/domain/actions/store.ts'
import { writeEvents } from './audit.ts'
import type { Database } from './database.ts'
import type { Revision } from './revision.ts'

interface TargetRow {
  readonly created_at: number
  readonly changed_at: number
  readonly document: string
}

interface ExecutionRow {
  readonly condition: string
  readonly created_at: number
  readonly changed_at: number
  readonly targets: string
}

export function createActionStore(database: Database, revision: Revision): ActionStore {
  return {
    list: () =>
      database.readTogether(() => ({
        targets: database.all<TargetRow>('SELECT created_at, changed_at, document FROM targets ORDER BY created_at, id').map(
          ({ created_at, changed_at, document }): Target => ({
            ...JSON.parse(document),
            createdAt: new Date(created_at),
            changedAt: new Date(changed_at),
          }),
        ),
        executions: database.all<ExecutionRow>('SELECT condition, created_at, changed_at, targets FROM executions ORDER BY condition').map(
          ({ condition, created_at, changed_at, targets }): Execution => ({
            condition,
            targets: JSON.parse(targets),
            createdAt: new Date(created_at),
            changedAt: new Date(changed_at),
          }),
        ),
      })),

    commit: ({ putTargets = [], removeTargets = [], putExecutions = [], removeExecutions = [], events }) =>
      database.write(() => {
        for (const id of removeTargets) database.run('DELETE FROM targets WHERE id = ?', id)
        for (const condition of removeExecutions) database.run('DELETE FROM executions WHERE condition = ?', condition)
        for (const { createdAt, changedAt, ...target } of putTargets) {
          database.run(
            'INSERT OR REPLACE INTO targets (id, created_at, changed_at, document) VALUES (?, ?, ?, ?)',
            target.id,
            createdAt.getTime(),
            changedAt.getTime(),
            JSON.stringify(target),
          )
        }
        for (const { condition, createdAt, changedAt, targets } of putExecutions) {
          database.run(
            'INSERT OR REPLACE INTO executions (condition, created_at, changed_at, targets) VALUES (?, ?, ?, ?)',
            condition,
            createdAt.getTime(),
            changedAt.getTime(),
            JSON.stringify(targets),
          )
        }
        revision.move()
        writeEvents(database, events)
      }),
  }
}
