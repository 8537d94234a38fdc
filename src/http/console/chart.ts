import type { SignInsOfDay } from '#src/domain/audit/signInStatistics.ts'
import type { Texts } from '../kit/messages.ts'

interface Bar {
  readonly x: number
  readonly y: number
  readonly height: number
}

/** Bars of sign-ins and failures by day, in units of the picture. */
export interface Chart {
  readonly width: number
  readonly height: number
  /** Where the days stand on. */
  readonly base: number
  readonly barWidth: number
  readonly days: readonly { readonly label: string; readonly at: number; readonly good: Bar; readonly bad: Bar; readonly title: string }[]
  /** The greatest number, at the top. */
  readonly top: string
  /** What the picture shows, for who does not see it. */
  readonly summary: string
}

const width = 700
const height = 180
const base = 150
const left = 40
const barWidth = 16

/** The numbers as a picture. The table beside it says the same. */
export function chartOf({ t, number, day: dayOf }: Texts, days: readonly SignInsOfDay[]): Chart {
  const greatest = Math.max(1, ...days.flatMap(({ signedIn, failed }) => [signedIn, failed]))
  const step = (width - left) / Math.max(1, days.length)
  const bar = (value: number, x: number): Bar => {
    const tall = Math.round((value / greatest) * (base - 20))
    return { x: Math.round(x), y: base - tall, height: tall }
  }
  const total = (of: 'signedIn' | 'failed') => days.reduce((sum, each) => sum + each[of], 0)
  return {
    width,
    height,
    base,
    barWidth,
    days: days.map(({ day, signedIn, failed }, index) => ({
      label: day.slice(8),
      at: Math.round(left + index * step + barWidth),
      good: bar(signedIn, left + index * step),
      bad: bar(failed, left + index * step + barWidth + 1),
      title: t('console.chart.day', { day: dayOf(new Date(`${day}T00:00:00Z`)), signedIn, failed }),
    })),
    top: number(greatest),
    summary: t('console.chart.summary', { signedIn: total('signedIn'), failed: total('failed'), days: days.length }),
  }
}
