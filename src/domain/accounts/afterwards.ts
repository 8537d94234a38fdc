import { Busy } from '#src/base/errors.ts'

/** Work that is done after the answer, so that neither its outcome nor the time that it takes can be seen there. */
export interface Afterwards {
  /** @throws Busy when too much is waiting */
  do(work: () => Promise<void>): void
  /** When all that has been begun is done. */
  settled(): Promise<void>
}

/** `most` pieces of work at a time; `onFault` is told of what failed, which nobody else is. */
export function createAfterwards({
  most = 500,
  onFault,
}: {
  readonly most?: number
  readonly onFault: (error: unknown) => void
}): Afterwards {
  const running = new Set<Promise<void>>()
  return {
    do(work) {
      if (running.size >= most) throw new Busy('messages')
      // Not in this turn: the caller's answer must not wait for its first step either.
      const done = new Promise<void>((resolve) => setImmediate(resolve)).then(work).catch(onFault)
      const kept = done.finally(() => running.delete(kept))
      running.add(kept)
    },
    async settled() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
