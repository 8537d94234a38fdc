import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a measured server tells of itself. */
export interface Usage {
  readonly cpuMicroseconds: number
  readonly rssBytes: number
}

/** Tells the parent process where the server listens, and, when asked, what it has used so far. */
export function reportTo(process: NodeJS.Process, server: Server): void {
  process.send?.({ port: (server.address() as AddressInfo).port })
  process.on('message', (message) => {
    if (message !== 'usage') return
    const { user, system } = process.cpuUsage()
    process.send?.({ usage: { cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() } satisfies Usage })
  })
}
