import { expect, test } from 'vitest'
import { atOnce, later, type Open, oddKeys, upTo } from './contract.ts'

/** `later`, in a future that no server takes for over. */
const base = Math.ceil(Date.now() / 1000) * 1000 + 86_400_000
const inSeconds = (seconds: number) => new Date(base + seconds * 1000)

export function attemptsContract(open: Open): void {
  test('each attempt is told what stood there before it', async () => {
    await using stores = await open()
    const { attempts } = stores
    expect(await attempts.count(['jane', 'address'], inSeconds(0), 60)).toEqual([undefined, undefined])
    expect(await attempts.count(['jane'], inSeconds(10), 60)).toEqual([{ failures: 1, lastAt: inSeconds(0) }])
    expect(await attempts.count(['address', 'jane', 'new'], inSeconds(20), 60)).toEqual([
      { failures: 1, lastAt: inSeconds(0) },
      { failures: 2, lastAt: inSeconds(10) },
      undefined,
    ])
    expect(await attempts.count([], inSeconds(20), 60)).toEqual([])
  })

  test('a count is forgotten a window after its last failure', async () => {
    await using stores = await open()
    const { attempts } = stores
    await attempts.count(['jane'], inSeconds(0), 60)
    expect(await attempts.count(['jane'], inSeconds(59.999), 60)).toMatchObject([{ failures: 1 }])
    expect(await attempts.count(['jane'], inSeconds(119.998), 60)).toMatchObject([{ failures: 2 }])
    expect(await attempts.count(['jane'], inSeconds(179.998), 60)).toEqual([undefined])
    expect(await attempts.count(['jane'], inSeconds(180), 60)).toMatchObject([{ failures: 1 }])
  })

  test('a burst is counted to the last one, each standing at another number, in one process or two', async () => {
    await using stores = await open()
    await using others = await stores.again()
    const outcomes = await atOnce(50, (number) => (number % 2 ? stores : others).attempts.count(['jane', 'address'], inSeconds(0), 60))
    for (const key of [0, 1]) {
      const failures = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? (outcome.value[key]?.failures ?? 0) : outcome.reason))
      expect(failures.sort((a, b) => a - b)).toEqual([0, ...upTo(49)])
    }
  })

  test('what is taken back was never there, and the time before it counts again', async () => {
    await using stores = await open()
    const { attempts } = stores
    await attempts.count(['jane', 'address'], inSeconds(0), 60)
    const [jane] = await attempts.count(['jane', 'address'], inSeconds(10), 60)
    await attempts.takeBack([{ key: 'jane', before: jane }, { key: 'unknown' }])
    expect(await attempts.count(['jane', 'address'], inSeconds(20), 60)).toEqual([
      { failures: 1, lastAt: inSeconds(0) },
      { failures: 2, lastAt: inSeconds(10) },
    ])
    await attempts.count(['new'], inSeconds(0), 60)
    await attempts.takeBack([{ key: 'new' }])
    expect(await attempts.count(['new'], inSeconds(1), 60)).toEqual([undefined])
  })

  test('what is forgotten begins again, and nothing else is', async () => {
    await using stores = await open()
    const { attempts } = stores
    await attempts.count(['jane', 'john', ...oddKeys], later(0), 60)
    await attempts.forget(['jane', 'unknown'])
    await attempts.forget([])
    expect(await attempts.count(['jane', 'john'], later(1), 60)).toMatchObject([undefined, { failures: 1 }])
  })

  test('all that begins alike is forgotten together, and nothing beside it', async () => {
    await using stores = await open()
    const { attempts } = stores
    const [own, others] = [
      ['jane', 'jane.', 'jane.phone', 'jane😀', 'jane\u{10fffe}'],
      ['jan', 'Jane', 'janf', 'a jane', '', ...oddKeys],
    ]
    await attempts.count([...own, ...others], inSeconds(0), 60)
    await attempts.forgetAll('jane')
    await attempts.forgetAll('unknown')
    expect(await attempts.count(own, inSeconds(1), 60)).toEqual(own.map(() => undefined))
    expect(await attempts.count(others, inSeconds(1), 60)).toEqual(others.map(() => ({ failures: 1, lastAt: inSeconds(0) })))
  })
}
