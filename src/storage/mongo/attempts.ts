import type { AttemptStore, Attempts } from '#src/domain/users/store.ts'
import type { Connection } from './connection.ts'

interface AttemptDocument extends Attempts {
  readonly _id: string
  /** What the count stood at before it was written last. */
  readonly before: Attempts | null
  readonly expiresAt: Date
}

export function createAttemptStore(connection: Connection): AttemptStore {
  const attempts = connection.database.collection<AttemptDocument>('attempts')

  // The server computes what stood there before and leaves it in the document: then the answer is of the same write, whoever else counts.
  async function countOne(key: string, at: Date, windowMs: number): Promise<Attempts | undefined> {
    const stands = { $gt: [{ $add: ['$lastAt', windowMs] }, at] }
    const counted = await attempts.findOneAndUpdate(
      { _id: key },
      [
        {
          $set: {
            before: { $cond: [stands, { failures: '$failures', lastAt: '$lastAt' }, null] },
            failures: { $cond: [stands, { $add: ['$failures', 1] }, 1] },
            lastAt: at,
            expiresAt: new Date(at.getTime() + windowMs),
          },
        },
      ],
      { upsert: true, returnDocument: 'after', projection: { before: 1 } },
    )
    return counted?.before ?? undefined
  }

  return {
    count: (keys, at, windowSeconds) => connection.run(() => Promise.all(keys.map((key) => countOne(key, at, windowSeconds * 1000)))),

    forget: (keys) =>
      connection.run(async () => {
        await attempts.deleteMany({ _id: { $in: [...keys] } })
      }),
  }
}
