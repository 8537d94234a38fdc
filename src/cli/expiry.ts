import { parseDurationSeconds } from '#src/base/duration.ts'
import { type CommandOption, WrongUsage } from './command.ts'

export const expiresOption: CommandOption = {
  type: 'string',
  value: 'DATE',
  help: 'When it ends: 2030-12-31, 2030-12-31T12:00:00Z, or a duration such as 90d',
}

/** What `--expires` says: a date, a moment or a duration from `now` on. A date alone means its first moment in UTC. @throws WrongUsage */
export function momentFrom(text: string | undefined, now: Date): Date | undefined {
  if (text === undefined) return undefined
  const isMoment = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
  const moment = isMoment ? new Date(text) : afterDuration(text, now)
  if (!moment || Number.isNaN(moment.getTime())) {
    throw new WrongUsage('--expires must be a date such as 2030-12-31, a moment such as 2030-12-31T12:00:00Z, or a duration such as 90d')
  }
  if (moment <= now) throw new WrongUsage('--expires must be in the future')
  return moment
}

function afterDuration(text: string, now: Date): Date | undefined {
  try {
    return new Date(now.getTime() + parseDurationSeconds(text) * 1000)
  } catch {
    return undefined
  }
}
