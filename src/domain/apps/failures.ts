import { DomainError } from '#src/base/errors.ts'

/**
 * What an app answers no to, in App Services' words: `errorCode` is its `error_code`, `status` the HTTP status that goes with it
 * (contracts/app-services.md, section 4).
 */
export class AppRefused extends DomainError {
  readonly code = 'app.refused'
  readonly errorCode: string
  readonly status: number
  readonly retryAfterSeconds: number | undefined
  constructor(status: number, errorCode: string, message: string, options: ErrorOptions & { readonly retryAfterSeconds?: number } = {}) {
    super(message, options)
    this.status = status
    this.errorCode = errorCode
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

export const badRequest = (message: string) => new AppRefused(400, 'BadRequest', message)
export const missingParameter = (name: string) => new AppRefused(400, 'MissingParameter', `missing parameter: ${name}`)
export const authError = (message: string) => new AppRefused(401, 'AuthError', message)
/** Of a password, and of a name that nobody has: which of both it was is nobody's business. */
export const invalidPassword = () => new AppRefused(401, 'InvalidPassword', 'invalid username/password (unauthorized)')
export const invalidSession = (message = 'invalid session') => new AppRefused(401, 'InvalidSession', message)
export const userDisabled = () => new AppRefused(401, 'UserDisabled', 'user is disabled')
export const userNotFound = () => new AppRefused(404, 'UserNotFound', 'user not found')
export const nameInUse = () => new AppRefused(409, 'AccountNameInUse', 'name already in use')
export const providerNotFound = (type: string) => new AppRefused(404, 'AuthProviderNotFound', `authentication provider not found: ${type}`)
export const providerDisabled = (type: string) =>
  new AppRefused(401, 'AuthProviderDisabled', `authentication provider is disabled: ${type}`)
export const tokenInvalid = () => new AppRefused(400, 'UserpassTokenInvalid', 'userpass token is expired or invalid')
export const invalidLink = (reason: string) => new AppRefused(400, 'BadRequest', `invalid user link request: ${reason}`)
