/** The domain in a process of its own, without the server: its parent tells which lists to measure. The environment says which store. */
import { openDomain } from '#src/compose.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { type AskedLists, measured } from './lists.ts'

process.on('message', async (asked: AskedLists) => {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DOSSIER_')))
  try {
    const domain = await openDomain(readConfiguration(environment))
    process.send?.({ measured: await measured(domain, asked) })
    await domain.stores.close()
  } catch (error) {
    process.send?.({ failed: String((error as Error).stack) })
  }
})
