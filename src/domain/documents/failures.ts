import { DomainError } from '#src/base/errors.ts'

/** The data source does not take what it was asked: an unknown operator, a duplicate key, a filter that is none. */
export class DocumentsRefused extends DomainError {
  readonly code = 'documents.refused'
  /** MongoDB's number of the failure, where it has one: 11000 for a duplicate key. */
  readonly number: number | undefined
  constructor(reason: string, options: ErrorOptions & { readonly number?: number } = {}) {
    super(reason, options)
    this.number = options.number
  }
}
