import { DomainError } from './errors.ts'

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

/** What was given as the place to go on from is none that we have told, or one of another list. */
export class CursorInvalid extends DomainError {
  readonly code = 'cursor.invalid'
  constructor(options?: ErrorOptions) {
    super('there is no such place in this list: begin at its first page', options)
  }
}
