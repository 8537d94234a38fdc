import { DomainError } from '#src/base/errors.ts'
import { administratorFaults, type Finding, inspectStore } from '#src/composeDomain.ts'
import { type Configuration, ConfigurationFaults, readConfiguration } from '#src/platform/config.ts'
import { type Command, type Invocation, type Outcome, operandsOf } from './command.ts'
import { inspectAddress } from './listening.ts'

export const configCheckCommand: Command = {
  name: 'config check',
  summary: 'Look at environment, store, migrations, clock and address, and change nothing',
  operands: '',
  options: {},
  async run(invocation) {
    operandsOf(invocation)
    let configuration: Configuration
    try {
      configuration = readConfiguration(invocation.environment)
    } catch (error) {
      if (!(error instanceof ConfigurationFaults)) throw error
      return outcomeOf(error.faults.map((detail) => ({ name: 'environment', status: 'failed', detail })))
    }
    const now = new Date()
    const findings: Finding[] = [
      { name: 'environment', status: 'ok', detail: `the issuer is ${configuration.DOSSIER_ISSUER}` },
      ...administratorFaults(configuration).map((detail) => ({ name: 'environment', status: 'failed', detail }) as const),
      ...(await inspectStore(configuration, now)),
    ]
    if (findings.every(({ name }) => name !== 'clock')) findings.push(clockAlone(now))
    findings.push(await inspectAddress(configuration.DOSSIER_HOST, configuration.port, configuration.DOSSIER_ISSUER))
    if (configuration.DOSSIER_APPLY !== undefined) findings.push(await inspectFile(configuration.DOSSIER_APPLY, invocation))
    return outcomeOf(findings)
  },
}

/** A new store has nothing to compare the clock with, except that this program was written before now. */
function clockAlone(now: Date): Finding {
  return now < new Date('2025-01-01')
    ? { name: 'clock', status: 'failed', detail: `it is ${now.toISOString()}, which cannot be: set the clock` }
    : { name: 'clock', status: 'ok', detail: `it is ${now.toISOString()}` }
}

/** The file of DOSSIER_APPLY by itself, without what is stored. */
async function inspectFile(path: string, invocation: Invocation): Promise<Finding> {
  const { loadConfigurationFile } = await import('./configurationFile.ts')
  try {
    loadConfigurationFile(path, invocation).faults.throwIfAny()
    return { name: 'configuration file', status: 'ok', detail: `${path} can be read` }
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    return { name: 'configuration file', status: 'failed', detail: error.message }
  }
}

function outcomeOf(checks: readonly Finding[]): Outcome {
  const failed = checks.filter(({ status }) => status === 'failed')
  const width = Math.max(...checks.map(({ name }) => name.length))
  return {
    json: { ok: failed.length === 0, checks },
    text: checks.map(({ name, status, detail }) => `${status.padEnd(7)}  ${name.padEnd(width)}  ${detail}`),
    status: failed.length === 0 ? 0 : failed.some(({ name }) => name === 'environment') ? 78 : 1,
  }
}
