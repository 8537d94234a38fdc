/** Requests of applications that wait for somebody to sign in, as a sign-in page of somebody else sees and answers them. */
import { DomainError } from '#src/base/errors.ts'

export interface AuthorizationRequest {
  readonly id: string
  readonly createdAt: Date
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly prompts: readonly string[]
  readonly uiLocales: readonly string[]
  readonly loginHint?: string
  readonly maxAgeSeconds?: number
  /** Who is signed in already in the browser that asks. */
  readonly hintUserId?: string
}

/** A device that waits (RFC 8628). */
export interface DeviceRequest {
  readonly id: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly applicationName: string
  readonly projectName: string
}

export interface SignedInPerson {
  readonly userId: string
  readonly signedInAt: Date
  /** How they proved who they are (RFC 8176). */
  readonly amr: readonly string[]
}

/** What is asked for is not there: it was never, has expired, or was answered already. */
export class AuthorizationRequestGone extends DomainError {
  readonly code = 'authorization_request.gone'
  constructor() {
    super('there is no such request, or it has expired or was answered already')
  }
}

/** The engine would have shown a page, so there is no address to send the browser to. */
export class AuthorizationRequestNotAnswered extends DomainError {
  readonly code = 'authorization_request.not_answered'
  constructor() {
    super('the request could not be answered with an address: it asks for a form, or for more than a sign-in gives; start it again')
  }
}

/** Every function but `find…` answers a request for good. @throws AuthorizationRequestGone, AuthorizationRequestNotAnswered */
export interface AuthorizationRequests {
  find(id: string): Promise<AuthorizationRequest>
  /** Where to send the browser now: to the application, with its answer. */
  complete(id: string, person: SignedInPerson): Promise<string>
  /** Like `complete`, with an error of OAuth. */
  refuse(id: string, error: string, description?: string): Promise<string>
  findDevice(userCode: string): Promise<DeviceRequest>
  completeDevice(id: string, person: SignedInPerson): Promise<void>
  refuseDevice(id: string): Promise<void>
}
