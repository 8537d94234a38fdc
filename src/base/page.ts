/** One page of a list: `next` is what to pass as `after` for the following page, absent on the last. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next?: string
}

export interface PageRequest {
  readonly after?: string
  readonly limit: number
}

/** Everything in a paged list, a page at a time, in constant memory. */
export async function* everyItem<T>(list: (page: PageRequest) => Promise<Page<T>>, limit = 500): AsyncGenerator<T> {
  let after: string | undefined
  do {
    const page: Page<T> = await list({ after, limit })
    yield* page.items
    after = page.next
  } while (after !== undefined)
}
