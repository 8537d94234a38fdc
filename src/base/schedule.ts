import { Cron } from 'croner'

/**
 * The first moment after `after` that a schedule names, in UTC; `undefined` when there is none any more. Five parts: minute, hour, day of the month, month, day of the
 * week. @throws TypeError for what is no schedule, with a sentence
 */
export const nextMoment = (schedule: string, after: Date): Date | undefined =>
  new Cron(schedule, { mode: '5-part', timezone: 'Etc/UTC', paused: true }).nextRun(after) ?? undefined
