/**
 * Base: words that every room uses. It imports nothing of ours.
 *
 * An error that a caller can act on. `code` is stable and is what the wire formats map to their statuses; the message is for
 * people and never holds a secret.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string

  override get name() {
    return this.constructor.name
  }
}

/** The store did not answer, or answered that it cannot work now. The caller may try again after `retryAfterSeconds`. */
export class StoreUnavailable extends DomainError {
  readonly code = 'store_unavailable'
  readonly retryAfterSeconds = 2

  constructor(reason: string, options?: ErrorOptions) {
    super(`the store is not available: ${reason}`, options)
  }
}

/** The server has more of this work queued than it will hold. The caller may try again after `retryAfterSeconds`. */
export class Busy extends DomainError {
  readonly code = 'busy'
  readonly retryAfterSeconds = 1

  constructor(what: string) {
    super(`too much work is queued for ${what}`)
  }
}

/** Something that stops the program from starting, in one sentence that says what to do. */
export class CannotStart extends DomainError {
  readonly code = 'cannot_start'
}
