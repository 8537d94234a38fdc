/** A length of time as protobuf has it. */
export interface Duration {
  readonly seconds: bigint
  readonly nanos: number
}

export const nanosecondsOf = ({ seconds, nanos }: Duration): bigint => seconds * 1_000_000_000n + BigInt(nanos)

/** A duration of whole milliseconds in Go's form: `0s`, `500ms`, `1.5s`, `1h0m0s`. */
export function formatGoDuration(duration: Duration): string {
  const milliseconds = Number(nanosecondsOf(duration) / 1_000_000n)
  if (milliseconds === 0) return '0s'
  if (milliseconds < 1000) return `${milliseconds}ms`
  const minutes = Math.floor(milliseconds / 60_000)
  const seconds = `${(milliseconds % 60_000) / 1000}s`
  if (minutes === 0) return seconds
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`
}
