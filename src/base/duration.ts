const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/**
 * Seconds of a duration as the configuration file writes it: `90s`, `15m`, `12h`, `30d`.
 * @throws TypeError when `text` is not of that form
 */
export function parseDurationSeconds(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text)
  if (!match) throw new TypeError(`"${text}" is not a duration; write 90s, 15m, 12h or 30d`)
  return Number(match[1]) * unitSeconds[match[2] as keyof typeof unitSeconds]
}

/** The shortest text that `parseDurationSeconds` reads as `seconds`. */
export function formatDuration(seconds: number): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    if (seconds > 0 && seconds % unitSeconds[unit] === 0) return `${seconds / unitSeconds[unit]}${unit}`
  }
  return `${seconds}s`
}
