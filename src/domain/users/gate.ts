export interface GateOptions {
  readonly concurrency: number
  readonly queue: number
  readonly refuse: () => Error
}

/** Lets `concurrency` pieces of work run at a time and `queue` wait; one more is refused with the error of `refuse`. */
export function createGate({ concurrency, queue, refuse }: GateOptions) {
  let running = 0
  const waiting: (() => void)[] = []
  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (running >= concurrency) {
        if (waiting.length >= queue) throw refuse()
        await new Promise<void>((resolve) => waiting.push(resolve))
      } else {
        running += 1
      }
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else running -= 1
      }
    },
  }
}
