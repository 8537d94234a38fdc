import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeIsMissing } from '#src/composeDomain.ts'
import type { Change } from '#src/domain/provisioning/change.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { type Command, type Invocation, type Outcome, operandsOf } from './command.ts'
import { applyConfigurationFile, loadConfigurationFile, secretLines, summaryOf } from './configurationFile.ts'
import { withDomain } from './withDomain.ts'

export const applyCommand: Command = {
  name: 'apply',
  summary: 'Make the store what a configuration file says: create what is missing, update what differs',
  operands: 'FILE',
  options: { 'dry-run': { type: 'boolean', help: 'Say what would change, and change nothing' } },
  async run(invocation) {
    const [path] = operandsOf(invocation, 'FILE')
    const dryRun = invocation.options['dry-run'] === true
    const file = loadConfigurationFile(path, invocation)
    if (storeIsMissing(readConfiguration(invocation.environment).DOSSIER_STORE)) {
      // A preview, or a file with faults, shall leave no store behind where there is none.
      const preview = await beside(invocation, (surroundings) =>
        withDomain(surroundings, (domain) => applyConfigurationFile(domain, file, invocation, { dryRun: true }), { mayCreate: true }),
      )
      if (dryRun) return outcomeOf(preview, dryRun)
    }
    return withDomain(
      invocation,
      async (domain) => {
        const wasEmpty = await domain.users.isEmpty()
        const changes = await applyConfigurationFile(domain, file, invocation, { dryRun })
        if (!dryRun && wasEmpty && file.users.length > 0 && file.users.every(({ admin }) => !admin)) {
          invocation.note(
            'Nobody is an administrator yet, and the server makes one only for a store without users: set admin: true for one.',
          )
        }
        return outcomeOf(changes, dryRun)
      },
      { mayCreate: true },
    )
  },
}

/** Does `work` on a new store in a temporary directory. */
async function beside<T>({ environment }: Invocation, work: (surroundings: Pick<Invocation, 'environment'>) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'dossier-'))
  try {
    return await work({ environment: { ...environment, DOSSIER_STORE: `sqlite:${directory}` } })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const outcomeOf = (changes: readonly Change[], dryRun: boolean): Outcome => ({
  json: { changes: changes.map(({ fields: _, ...change }) => change) },
  text: [...changes.map(lineOf), ...secretLines(changes), `${dryRun ? 'Nothing was written. It would be: ' : ''}${summaryOf(changes)}`],
})

function lineOf({ change, kind, name, fields = [] }: Change): string {
  const what = `${change.padEnd(6)}  ${kind.padEnd(12)}  ${name}`
  return fields.length === 0 ? what : `${what} (${fields.join(', ')})`
}
