import { type Logger, pino } from 'pino'

export type Log = Logger

/** JSON lines on stderr, pretty when stderr is a terminal. A constant sentence, facts beside it, never a secret. */
export function createLog(level: string): Log {
  const options = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }
  if (process.stderr.isTTY) {
    return pino({
      ...options,
      transport: { target: 'pino-pretty', options: { destination: 2, singleLine: true, translateTime: 'SYS:HH:MM:ss' } },
    })
  }
  // Lines are gathered for a moment: a write for each costs more than the request that it tells of. The rest is written at exit.
  const destination = pino.destination({ dest: 2, sync: true, minLength: 8192, periodicFlush: 100 })
  process.once('exit', () => destination.flushSync())
  return pino(options, destination)
}
