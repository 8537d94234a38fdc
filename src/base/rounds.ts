/** Does `work` every so often, never twice at once, until `stop`, which answers when the last round is over. It keeps no process alive. */
export function inRounds({
  everyMs,
  work,
  onFault,
}: {
  readonly everyMs: number
  readonly work: () => Promise<void>
  readonly onFault: (error: unknown) => void
}): { stop(): Promise<void> } {
  let working: Promise<void> | undefined
  const timer = setInterval(() => {
    working ??= work()
      .catch(onFault)
      .finally(() => {
        working = undefined
      })
  }, everyMs)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await working
    },
  }
}
