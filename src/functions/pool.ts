import { Worker } from 'node:worker_threads'
import { FunctionFailed } from '#src/domain/apps/functions.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import type { FunctionLimits } from './runner.ts'

/** A thread while it has a call. */
export interface Thread {
  /** Begins the call. `onEnd` is told why the thread is no more, if that happens before the call is answered. */
  start(
    message: ToWorker,
    call: { readonly milliseconds: number; readonly onMessage: (message: FromWorker) => void; readonly onEnd: (reason: Error) => void },
  ): void
  post(message: ToWorker): void
}

/** A thread that has nothing to do ends after a minute. */
const idleMs = 60_000
/** How often the memory of a running call is looked at: what is outside of the heap has no other limit. */
const lookEveryMs = 100

/** Threads that take one call at a time. They are made when they are wanted. */
export function createPool({ limits, refuse }: { limits: FunctionLimits; refuse: () => Error }) {
  const idle: OwnThread[] = []
  const all = new Set<OwnThread>()
  const waiting: ((thread: OwnThread) => void)[] = []
  let isStopped = false

  function make(): OwnThread {
    const thread = new OwnThread(limits.megabytes, () => {
      all.delete(thread)
      const at = idle.indexOf(thread)
      if (at >= 0) idle.splice(at, 1)
    })
    all.add(thread)
    return thread
  }

  async function take(): Promise<OwnThread> {
    const free = idle.pop()
    if (free) return free
    if (all.size < limits.threads) return make()
    if (waiting.length >= limits.waiting) throw refuse()
    return new Promise((resolve) => waiting.push(resolve))
  }

  /** Gives a thread to whoever waits longest, or a new one in the place of one that is no more. */
  function giveBack(thread: OwnThread): void {
    thread.rest(idleMs)
    const next = waiting.shift()
    if (next) next(thread.isAlive ? thread : make())
    else if (thread.isAlive && !isStopped) idle.push(thread)
  }

  return {
    async run<T>(work: (thread: Thread) => Promise<T>): Promise<T> {
      if (isStopped) throw refuse()
      const thread = await take()
      try {
        return await work(thread)
      } finally {
        giveBack(thread)
      }
    },

    async stop(): Promise<void> {
      isStopped = true
      await Promise.all([...all].map((thread) => thread.end()))
    },
  }
}

class OwnThread implements Thread {
  readonly #worker: Worker
  readonly #megabytes: number
  readonly #gone: () => void
  #call: Parameters<Thread['start']>[1] | undefined
  #timers: NodeJS.Timeout[] = []
  isAlive = true

  constructor(megabytes: number, gone: () => void) {
    this.#gone = gone
    this.#megabytes = megabytes
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    })
    this.#worker.on('message', (message: FromWorker) => this.#call?.onMessage(message))
    this.#worker.on('error', (error: NodeJS.ErrnoException) =>
      this.#over(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? this.#outOfMemory()
          : new FunctionFailed(`the function ended its thread: ${error.message}`),
      ),
    )
    this.#worker.on('exit', () => this.#over(new FunctionFailed('the function ended its thread')))
    this.#worker.unref()
  }

  start(message: ToWorker, call: Parameters<Thread['start']>[1]): void {
    this.#clear()
    this.#call = call
    const seconds = call.milliseconds / 1000
    const late = new FunctionFailed(`execution time limit exceeded: the function took more than ${seconds} seconds`, {
      errorCode: 'ExecutionTimeLimitExceeded',
    })
    this.#timers = [setTimeout(() => void this.end(late), call.milliseconds), setInterval(() => void this.#look(), lookEveryMs)]
    this.#worker.postMessage(message)
  }

  post(message: ToWorker): void {
    if (this.isAlive) this.#worker.postMessage(message)
  }

  /** The call is over; without another one the thread ends after a while. */
  rest(milliseconds: number): void {
    this.#clear()
    this.#call = undefined
    if (!this.isAlive) return
    const timer = setTimeout(() => void this.end(), milliseconds)
    timer.unref()
    this.#timers = [timer]
  }

  async end(reason: Error = new FunctionFailed('the server goes away')): Promise<void> {
    this.#over(reason)
    await this.#worker.terminate()
  }

  /** Typed arrays are outside of the heap that the thread's own limit is about. */
  async #look(): Promise<void> {
    const statistics = await this.#worker.getHeapStatistics().catch(() => undefined)
    if (this.#call && (statistics?.external_memory ?? 0) > this.#megabytes * 1024 * 1024) await this.end(this.#outOfMemory())
  }

  #outOfMemory = () =>
    new FunctionFailed(`memory limit exceeded: the function took more than ${this.#megabytes} MB`, { errorCode: 'MemoryLimitExceeded' })

  #over(reason: Error): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.#clear()
    this.#gone()
    this.#call?.onEnd(reason)
  }

  #clear(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
  }
}
