/** The second process: drives one scenario for some seconds and tells its parent how it went. It ends by itself. */
import { type Asks, Connection } from './connection.ts'
import { GrpcConnection } from './grpcConnection.ts'
import { type Facts, scenarios } from './scenarios.ts'

export interface Drive {
  readonly scenario: string
  readonly port: number
  readonly host: string
  readonly seconds: number
  readonly connections: number
  readonly facts: Facts
}

export interface Driven {
  readonly requests: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

process.on('message', async (drive: Drive) => {
  try {
    process.send?.({ driven: await run(drive) })
  } catch (error) {
    process.send?.({ failed: String((error as Error).stack) })
  }
})

async function run({ scenario: name, port, host, seconds, connections: count, facts }: Drive): Promise<Driven> {
  const scenario = scenarios.find((each) => each.name === name)
  if (!scenario) throw new Error(`there is no scenario ${name}`)
  const connections = await Promise.all(
    Array.from({ length: count }, () => (scenario.overGrpc ? GrpcConnection.open(port) : Connection.open(port, host))),
  )
  const steps = connections.map((_, index) => scenario.prepare(facts, index))
  const milliseconds: number[] = []
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  stayAwake(until)

  await Promise.all(
    connections.map(async (connection, index) => {
      const step = steps[index] as (connection: Asks) => Promise<{ status: number; body: string }>
      while (performance.now() < until) {
        const before = performance.now()
        const { status, body } = await step(connection)
        if (status < 200 || status > 299) throw new Error(`${name} answered ${status}: ${body}`)
        milliseconds.push(performance.now() - before)
      }
    }),
  )
  const elapsed = (performance.now() - startedAt) / 1000
  for (const connection of connections) connection.close()
  milliseconds.sort((a, b) => a - b)
  const at = (share: number) => milliseconds[Math.min(milliseconds.length - 1, Math.floor(milliseconds.length * share))] ?? 0
  return { requests: milliseconds.length, seconds: elapsed, p50: at(0.5), p99: at(0.99) }
}

/** Never sleeps before `until`: whoever writes to a process that sleeps pays for waking it, and that would be charged to the server. */
function stayAwake(until: number): void {
  if (performance.now() < until) setImmediate(stayAwake, until)
}
