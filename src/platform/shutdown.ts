import type { Server } from 'node:http'

const graceMilliseconds = 10_000

/**
 * Stops accepting, lets what runs finish, for ten seconds at most, and answers when no connection is left. Connections that wait for a next
 * request are closed at once.
 */
export async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  const deadline = setTimeout(() => server.closeAllConnections(), graceMilliseconds)
  await closed
  clearInterval(sweep)
  clearTimeout(deadline)
}
