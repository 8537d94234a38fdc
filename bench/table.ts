import type { Driven } from './driver.ts'

export interface Row extends Driven {
  readonly store: string
  readonly scenario: string
  readonly aim?: number
  /** More CPU than this for one request fails the run. */
  readonly limitMilliseconds?: number
  /** CPU time of the server for one request. */
  readonly cpuMicroseconds: number
  /** That, by bare Koa's in the same run. */
  readonly ratio: number
  readonly rssBytes: number
}

/** The rows that cost more than they may. */
export const overLimit = (rows: readonly Row[]) =>
  rows.filter(({ cpuMicroseconds, limitMilliseconds = Number.POSITIVE_INFINITY }) => cpuMicroseconds > limitMilliseconds * 1000)

/** The rows as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    [
      row.store,
      row.scenario,
      Math.round(row.requests / row.seconds).toLocaleString('en'),
      row.cpuMicroseconds.toFixed(0),
      row.ratio.toFixed(1),
      row.limitMilliseconds === undefined ? (row.aim?.toString() ?? '') : `${row.limitMilliseconds} ms`,
      row.p50.toFixed(2),
      row.p99.toFixed(2),
      (row.rssBytes / 1e6).toFixed(0),
    ].join(' | '),
  )
  return [
    '| store | scenario | requests/s | CPU µs/request | ratio to bare Koa | aim | p50 ms | p99 ms | MB |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n')
}
