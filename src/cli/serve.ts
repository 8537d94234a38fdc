import { serve } from '#src/main.ts'
import { type Command, operandsOf } from './command.ts'

export const serveCommand: Command = {
  name: 'serve',
  summary: 'Run the server (npm start does this)',
  operands: '',
  options: {},
  answersInWords: true,
  async run(invocation) {
    operandsOf(invocation)
    await serve({
      environment: invocation.environment,
      say: invocation.say,
      async check({ DOSSIER_APPLY: path }) {
        if (path === undefined) return
        const { loadConfigurationFile } = await import('./configurationFile.ts')
        loadConfigurationFile(path, invocation).faults.throwIfAny()
      },
      async prepare(domain, { DOSSIER_APPLY: path }) {
        if (path === undefined) return
        const { applyConfigurationFile, loadConfigurationFile, secretLines, summaryOf } = await import('./configurationFile.ts')
        const changes = await applyConfigurationFile(domain, loadConfigurationFile(path, invocation), invocation)
        invocation.say(`Applied ${path}: ${summaryOf(changes)}`)
        for (const line of secretLines(changes)) invocation.say(line)
      },
    })
    return undefined
  },
}
