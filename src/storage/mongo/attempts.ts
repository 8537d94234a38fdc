import type { AttemptStore, Attempts } from '#src/domain/users/store.ts'
import type { Connection } from './connection.ts'
import { inserted } from './failures.ts'

interface AttemptDocument extends Attempts {
  readonly _id: string
  /** What the count stood at before it was written last. */
  readonly before: Attempts | null
  readonly expiresAt: Date
}

/** No key has it, and every key comes before it. */
const last = '\u{10ffff}'

export function createAttemptStore(connection: Connection): AttemptStore {
  const attempts = connection.database.collection<AttemptDocument>('attempts')

  /** Counts on what stands there, by one write that leaves beside the count what it found; `null` when nothing stands there. */
  function countOn(key: string, at: Date, windowMs: number) {
    const stands = { $gt: [{ $add: ['$lastAt', windowMs] }, at] }
    const before = { $cond: [stands, { failures: '$failures', lastAt: '$lastAt' }, null] }
    const failures = { $cond: [stands, { $add: ['$failures', 1] }, 1] }
    const expiresAt = new Date(at.getTime() + windowMs)
    return attempts.findOneAndUpdate({ _id: key }, [{ $set: { before, failures, lastAt: at, expiresAt } }], {
      returnDocument: 'after',
      projection: { before: 1 },
    })
  }

  // Not an upsert: of several at once that all find nothing, not every server tells each which of them it was (SecantusDB 0.7).
  async function countOne(key: string, at: Date, windowMs: number): Promise<Attempts | undefined> {
    for (;;) {
      const counted = await countOn(key, at, windowMs)
      if (counted) return counted.before ?? undefined
      const first = { _id: key, failures: 1, lastAt: at, expiresAt: new Date(at.getTime() + windowMs), before: null }
      if (await inserted(attempts.insertOne(first))) return undefined
    }
  }

  return {
    count: (keys, at, windowSeconds) => connection.run(() => Promise.all(keys.map((key) => countOne(key, at, windowSeconds * 1000)))),

    takeBack: (taken) =>
      connection.run(async () => {
        await Promise.all(
          taken.map(async ({ key, before }) => {
            const { deletedCount } = await attempts.deleteOne({ _id: key, failures: { $lte: 1 } })
            if (deletedCount > 0) return
            await attempts.updateOne({ _id: key }, { $inc: { failures: -1 }, ...(before && { $min: { lastAt: before.lastAt } }) })
          }),
        )
      }),

    forget: (keys) =>
      connection.run(async () => {
        await attempts.deleteMany({ _id: { $in: [...keys] } })
      }),

    forgetAll: (start) =>
      connection.run(async () => {
        await attempts.deleteMany({ _id: { $gte: start, $lt: start + last } })
      }),
  }
}
