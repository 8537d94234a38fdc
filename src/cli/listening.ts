import { once } from 'node:events'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Finding } from '#src/composeDomain.ts'

/** Whether the server could listen where the configuration says, or does so already. */
export async function inspectAddress(host: string, port: number, issuer: string): Promise<Finding> {
  const name = 'address'
  const reason = await listeningFault(host, port)
  if (reason === undefined) return { name, status: 'ok', detail: `${host}:${port} is free` }
  if (reason !== 'EADDRINUSE')
    return { name, status: 'failed', detail: `cannot listen on ${host}:${port} (${reason}): set DOSSIER_HOST and DOSSIER_PORT` }
  return (await issuerAt(host, port, issuer)) === issuer
    ? { name, status: 'ok', detail: `Dossier is running on ${host}:${port} as ${issuer}` }
    : { name, status: 'failed', detail: `${host}:${port} is taken by another program, or by a Dossier with another issuer` }
}

/** Listens for a moment, and answers the system's code when that does not work. */
async function listeningFault(host: string, port: number): Promise<string | undefined> {
  const probe = createServer()
  try {
    probe.listen(port, host)
    await once(probe, 'listening')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message
  } finally {
    probe.close()
  }
}

/** The issuer that the discovery document at an address names. A Dossier answers only under the host of its own. */
async function issuerAt(host: string, port: number, issuer: string): Promise<unknown> {
  try {
    const asking = request({
      host: host === '0.0.0.0' || host === '::' ? 'localhost' : host,
      port,
      path: '/.well-known/openid-configuration',
      headers: { host: new URL(issuer).host },
      signal: AbortSignal.timeout(3000),
    })
    asking.end()
    const [response] = await once(asking, 'response')
    return ((await json(response)) as { issuer?: unknown }).issuer
  } catch {
    return undefined
  }
}
