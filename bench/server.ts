/** Dossier, as `dossier serve` composes it, with a channel to ask for its CPU time. The environment says which store. */
import module from 'node:module'
import { composeService, openDomain } from '#src/compose.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { createLog } from '#src/platform/log.ts'
import { reportTo } from './report.ts'

const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DOSSIER_')))
const configuration = readConfiguration(environment)
const domain = await openDomain(configuration)
const { server } = await composeService(configuration, domain, createLog(configuration.DOSSIER_LOG_LEVEL))
server.listen(configuration.port, 'localhost', () => {
  // As bin/dossier.js has it: the next start takes the compiled code from this one.
  module.flushCompileCache()
  reportTo(process, server)
})
