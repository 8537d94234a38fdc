import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/**
 * What is logged of an error. Others hang what they like on theirs: the bytes of a request that could not be read, with its token, for one.
 */
function told(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const { name, message, stack, cause } = error
  const { code } = error as NodeJS.ErrnoException
  return { type: name, message, stack, ...(code !== undefined && { code }), ...(cause instanceof Error && { cause: told(cause) }) }
}

/** JSON lines on stderr, pretty when stderr is a terminal, or to where `destination` is. A constant sentence, facts beside it, never a secret. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const options = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: told } }
  if (destination) return pino(options, destination)
  if (process.stderr.isTTY) {
    return pino({
      ...options,
      transport: { target: 'pino-pretty', options: { destination: 2, singleLine: true, translateTime: 'SYS:HH:MM:ss' } },
    })
  }
  return pino(options, gathering(pino.destination({ dest: 2, sync: true })))
}

/** Gathers lines for a moment: a write for each costs more than the request that it tells of. What is left is written at exit. */
function gathering(destination: DestinationStream): DestinationStream {
  let lines = ''
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    const text = lines
    lines = ''
    if (text !== '') destination.write(text)
  }
  process.once('exit', flush)
  return {
    write(line) {
      lines += line
      if (lines.length >= 16_384) flush()
      else timer ??= setTimeout(flush, 100).unref()
    },
  }
}

/**
 * Writes lines of level info that are made by hand, where the log's own way costs too much; `undefined` when the level is switched off. The answered
 * function takes the members of one JSON object without braces, `msg` left out, and the message.
 */
export function handmadeLines(log: Log): ((members: string, message: string) => void) | undefined {
  if (!log.isLevelEnabled('info')) return undefined
  const stream = (log as unknown as Record<symbol, DestinationStream>)[pino.symbols.streamSym] as DestinationStream
  return (members, message) =>
    stream.write(`{"level":${pino.levels.values.info},"time":"${new Date().toISOString()}",${members},"msg":"${message}"}\n`)
}
