/** How much a page may carry: ours stay below 60 KB, however much is kept of somebody, and whatever somebody has sent. */

/** What is longer is not put into a form: half a text, sent back, would overwrite a whole one. */
const mostEditable = 24_000

/** No page carries so much: how much it is exactly need not be found out. */
const tooMuch = 100_000

/** The bytes of a text in a page, with what is escaped there. */
export const weightOf = (text: string): number =>
  text.length > tooMuch ? text.length : Buffer.byteLength(text) + 5 * (text.match(/[&<>"']/g)?.length ?? 0)

/** `text` for a form, or nothing where it would make the page heavy. */
export function editable(text: string): { readonly text: string; readonly isLeftOut: boolean } {
  const isLeftOut = text.length > mostEditable || weightOf(text) > mostEditable
  return { text: isLeftOut ? '' : text, isLeftOut }
}

/** As much of the beginning of a text as `bytes` of a page hold. */
export function beginningOf(text: string, bytes: number): string {
  let part = text.slice(0, bytes)
  for (let weight = weightOf(part); weight > bytes; weight = weightOf(part))
    part = part.slice(0, Math.floor((part.length * bytes) / weight))
  return part
}

/** `bytes` of a page, which are taken list by list. */
export function pageBudget(bytes: number) {
  let left = bytes
  return {
    left: () => left,
    /** As many of the first as there is room for. */
    take<T>(items: readonly T[], weigh: (item: T) => number): readonly T[] {
      const beyond = items.findIndex((item) => {
        const weight = weigh(item)
        if (weight > left) return true
        left -= weight
        return false
      })
      return beyond < 0 ? items : items.slice(0, beyond)
    },
  }
}
