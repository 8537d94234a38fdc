import { readFileSync } from 'node:fs'
import { DomainError } from '#src/base/errors.ts'
import type { Domain } from '#src/composeDomain.ts'
import type { Change } from '#src/domain/provisioning/change.ts'
import { type ConfigurationFile, readConfigurationFile } from '#src/domain/provisioning/file.ts'
import type { Invocation } from './command.ts'
import { createProgress } from './progress.ts'
import { secretSources } from './secrets.ts'
import { actor } from './withDomain.ts'

/** The configuration file cannot be opened. */
class CannotRead extends DomainError {
  readonly code = 'cli.cannot_read'
}

type Surroundings = Pick<Invocation, 'environment' | 'note'>

/** The configuration file at `path` with the secrets that it names. Its faults are not thrown yet. @throws CannotRead */
export function loadConfigurationFile(path: string, { environment }: Pick<Invocation, 'environment'>): ConfigurationFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new CannotRead(`the configuration file ${path} cannot be read (${(error as Error).message})`, { cause: error })
  }
  return readConfigurationFile(text, path, secretSources(path, environment))
}

/** Applies `file`, or only compares it, with progress on stderr. @throws FileFaults */
export async function applyConfigurationFile(
  { provisioning }: Domain,
  file: ConfigurationFile,
  { note }: Surroundings,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<readonly Change[]> {
  const progress = createProgress(note)
  const secrets: Change[] = []
  const watcher = {
    progress: (step: string, done: number, all: number) => progress(() => `${step} users: ${done} of ${all}`),
    waiting: () => note('another apply is at work; waiting for it to end'),
    done: (change: Change) => change.clientSecret !== undefined && secrets.push(change),
  }
  if (dryRun) return provisioning.preview(file, actor, watcher)
  try {
    return await provisioning.apply(file, actor, watcher)
  } catch (error) {
    // These applications are written, whatever failed after them: nobody could ever tell their secrets again.
    for (const line of secretLines(secrets)) note(line)
    throw error
  }
}

/** The secrets that were made, for the one time that they are shown. */
export const secretLines = (changes: readonly Change[]): readonly string[] =>
  changes
    .filter(({ clientSecret }) => clientSecret !== undefined)
    .map(({ name, clientSecret }) => `The client secret of ${name}, shown this once: ${clientSecret}`)

/** `2 created, 1 updated, 5 unchanged`. */
export function summaryOf(changes: readonly Change[]): string {
  const words = { create: 'created', update: 'updated', remove: 'removed', none: 'unchanged' } as const
  const counts = Map.groupBy(changes, ({ change }) => change)
  const parts = (['create', 'update', 'remove', 'none'] as const)
    .filter((change) => counts.has(change))
    .map((change) => `${counts.get(change)?.length} ${words[change]}`)
  return parts.join(', ') || 'nothing listed'
}
