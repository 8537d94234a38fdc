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
  /** Where the days stand on, and how far up they may go. */
  readonly base: number
  readonly top: number
  readonly barWidth: number
  readonly days: readonly {
    readonly label: string
    readonly isMinor: boolean
    readonly at: number
    readonly good: Bar
    readonly bad: Bar
    readonly title: string
  }[]
  /** The number that goes up to the top. */
  readonly greatest: string
  /** What the picture shows, for who does not see it. */
  readonly summary: string
}

const width = 700
const height = 190
const base = 150
const top = 30
const left = 40
const barWidth = 16

/** The numbers as a picture. The table beside it says the same. */
export function chartOf({ t, number, day: dayOf }: Texts, days: readonly SignInsOfDay[]): Chart {
  const greatest = Math.max(1, ...days.flatMap(({ signedIn, failed }) => [signedIn, failed]))
  const step = (width - left) / Math.max(1, days.length)
  const bar = (value: number, x: number): Bar => {
    const tall = Math.round((value / greatest) * (base - top))
    return { x: Math.round(x), y: base - tall, height: tall }
  }
  const total = (of: 'signedIn' | 'failed') => days.reduce((sum, each) => sum + each[of], 0)
  return {
    width,
    height,
    base,
    top,
    barWidth,
    days: days.map(({ day, signedIn, failed }, index) => ({
      label: day.slice(8),
      // Where there is little room, every other day has its number.
      isMinor: (days.length - 1 - index) % 2 === 1,
      at: Math.round(left + index * step + barWidth),
      good: bar(signedIn, left + index * step),
      bad: bar(failed, left + index * step + barWidth + 1),
      title: t('console.chart.day', { day: dayOf(new Date(`${day}T00:00:00Z`)), signedIn, failed }),
    })),
    greatest: number(greatest),
    summary: t('console.chart.summary', { signedIn: total('signedIn'), failed: total('failed'), days: days.length }),
  }
}
