/** Tells how far something has come, once a second, and not at all when it is over within the first. */
export function createProgress(note: (line: string) => void): (line: () => string) => void {
  let last = performance.now()
  return (line) => {
    if (performance.now() - last < 1000) return
    last = performance.now()
    note(line())
  }
}
