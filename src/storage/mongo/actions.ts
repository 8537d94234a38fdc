import type { Execution, Target } from '#src/domain/actions/action.ts'
import type { ActionStore } from '#src/domain/actions/store.ts'
import { writeEvents } from './audit.ts'
import type { Connection } from './connection.ts'
import type { Revision } from './revision.ts'

interface TargetDocument extends Omit<Target, 'id'> {
  readonly _id: string
}

interface ExecutionDocument extends Omit<Execution, 'condition'> {
  readonly _id: string
}

export function createActionStore(connection: Connection, revision: Revision): ActionStore {
  const { database } = connection
  const targets = database.collection<TargetDocument>('targets')
  const executions = database.collection<ExecutionDocument>('executions')

  return {
    list: () =>
      connection.run(async () => {
        const [found, called] = await Promise.all([
          targets.find().sort({ createdAt: 1, _id: 1 }).toArray(),
          executions.find().sort({ _id: 1 }).toArray(),
        ])
        return {
          targets: found.map(({ _id, ...target }) => ({ id: _id, ...target })),
          executions: called.map(({ _id, ...execution }) => ({ condition: _id, ...execution })),
        }
      }),

    commit: ({ putTargets = [], removeTargets = [], putExecutions = [], removeExecutions = [], events }) =>
      revision.moving(async (session) => {
        if (removeTargets.length > 0) await targets.deleteMany({ _id: { $in: [...removeTargets] } }, { session })
        if (removeExecutions.length > 0) await executions.deleteMany({ _id: { $in: [...removeExecutions] } }, { session })
        for (const { id, ...target } of putTargets) await targets.replaceOne({ _id: id }, target, { upsert: true, session })
        for (const { condition, ...execution } of putExecutions) {
          await executions.replaceOne({ _id: condition }, execution, { upsert: true, session })
        }
        await writeEvents(database, events, session)
      }),
  }
}
