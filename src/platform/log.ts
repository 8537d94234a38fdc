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
  // Synchronous: what was logged before a crash is there, and a line costs less than a message to another thread.
  return pino(options, pino.destination({ dest: 2, sync: false, minLength: 0 }))
}
