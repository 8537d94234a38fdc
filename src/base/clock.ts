/** What time it is. Injected wherever time matters, so that a test can set it. */
export type Clock = () => Date

export const systemClock: Clock = () => new Date()

/** Seconds since the epoch, as JWTs count them. */
export const epochSeconds = (date: Date) => Math.floor(date.getTime() / 1000)
